/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The private PostgreSQL cluster: created in the data folder, reached over a unix socket only, run as an unprivileged
 * user when we are root. It is the embedded default when DATABASE_URL is not set. These calls block: they run before
 * any loop, in the supervisor or a command.
 *
 * Layout of the data folder: postgres/ (the cluster), socket/ (mode 0700; a short path under /tmp when the folder's
 * own is too long for a unix socket), postgres.log, owner (whose lock counts who uses it), lock.
 */
#ifndef STORE_CLUSTER_H
#define STORE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "base/attr.h"

struct cluster {
	char url[512]; /* libpq connection string */
	pid_t postmaster;
	bool started;	/* by us */
	bool held;	/* we are counted as one who uses it */
	int users;	/* descriptor whose lock counts us */
	char data[960]; /* the folder */
};

/* Joins the cluster of folder `data` when it runs, otherwise creates it if need be and starts it; recovers one that was
 * killed. Returns 0, or -1 with one sentence in `why`. Blocks until it answers, at most 60 s. */
int cluster_start(const char *data, struct cluster *c, char *why, size_t size) MUST_USE;
/* Stops it (fast mode) when nobody else uses it; otherwise the last one who does will. Nothing after a failed start.
 * Blocks at most 30 s, and while another process starts it. */
void cluster_stop(struct cluster *c);

#endif
