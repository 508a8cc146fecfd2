/* SPDX-License-Identifier: Apache-2.0 */
/* A worker process: one loop that serves requests until SIGTERM. */
#ifndef CLI_WORKER_H
#define CLI_WORKER_H

struct worker_settings {
	int number;	 /* 1 and up: its metrics slot */
	int listen_fd;	 /* bound, listening, shared with the other workers */
	int ready_fd;	 /* gets one byte when the worker serves; -1: nobody waits for it */
	const char *url; /* libpq connection string */
	int hashers;	 /* of the node, 1 and up */
};

/* Serves until SIGTERM has drained it; returns an exit code. Call it in a fresh child process. */
int worker_run(const struct worker_settings *settings);

#endif
