/* SPDX-License-Identifier: Apache-2.0 */
/* A hasher: a process that makes the hashes of passwords for all workers. The supervisor in serve.c forks it. */
#ifndef CLI_HASHER_H
#define CLI_HASHER_H

struct hasher_settings {
	int number;   /* 1 and up, for the log */
	int ready_fd; /* gets one byte at once; -1: nobody waits for it */
};

/* Works until the supervisor and all workers have gone: SIGTERM is for those, whose last requests it serves. Returns an exit
 * code. Call it in a fresh child process, after offload_open(). */
int hasher_run(const struct hasher_settings *settings);

#endif
