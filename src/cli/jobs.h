/* SPDX-License-Identifier: Apache-2.0 */
/* The jobs process: one loop that runs what is no request, until SIGTERM. The supervisor in serve.c forks it. */
#ifndef CLI_JOBS_H
#define CLI_JOBS_H

struct jobs_settings {
	int ready_fd;	 /* gets one byte when the process has its name; -1: nobody waits for it */
	const char *url; /* libpq connection string */
	const char *
		holder; /* of leases: the same for each jobs process of one supervisor, unlike any other */
};

/* Runs the jobs of this program (those of jobs.c and of each service's row) until SIGTERM, which gives those that run
 * GUILDFORD_DRAIN_TIMEOUT to end. Returns an exit code. Call it in a fresh child process. */
int jobs_run(const struct jobs_settings *settings);

#endif
