/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: work that is no request, said in tables. The jobs process (cli/jobs.c) runs each row in a coroutine of its own. A
 * job runs at one node at a time: who runs it holds a lease in platform.job until its deadline, so a node that is killed
 * gives it up by itself. A job that has nothing to do writes nothing, for each write costs the workers their memo
 * (store/memo.h).
 */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include <stdbool.h>
#include "base/attr.h"
#include "io/task.h"

struct job {
	const char *name; /* "mail_send": small letters and underscores */
	/* ms between the beginnings of two runs, at least; over all nodes. After a failure twice as long each time, five
	 * minutes at most (or every_ms, if that is longer) */
	int every_ms;
	int timeout_ms;	    /* the task's deadline, and the lease */
	const char *wanted; /* SQL condition: is there anything to do? NULL: always */
	bool every_node;    /* runs on each node, without a lease; `wanted` is not asked */
	/* One run. It returns OK or the failure that it recorded, and looks at t->deadline before it begins something long: at
	 * SIGTERM the deadline comes nearer. May wait. */
	int (*fn)(struct task *t);
	const char *doc;
};

/* Makes the job's row if there is none, and takes back the lease of a process of the same `holder` that has died. waits */
int job_prepare(struct task *t, const struct job *job, const char *holder) MUST_USE;
/* Takes the lease when the job is due, wanted and free; `taken` says whether. waits */
int job_take(struct task *t, const struct job *job, const char *holder, bool *taken) MUST_USE;
/* Gives the lease back after a run; does nothing when somebody else holds it by now. waits */
int job_end(struct task *t, const struct job *job, const char *holder, bool failed) MUST_USE;

#endif
