/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one event of an import, with its changed times: whatever people have edited stays theirs. */
#ifndef EVENT_IMPORT_WRITE_H
#define EVENT_IMPORT_WRITE_H

#include <jansson.h>
#include "base/attr.h"
#include "event/ical_entry.h"
#include "io/task.h"
#include "store/import.h"

enum event_outcome {
	EVENT_CREATED,
	EVENT_UPDATED,
	EVENT_UNCHANGED,
	EVENT_GONE, /* nothing of it is ahead any more: cancelled */
	EVENT_OVER, /* it was over before we knew it: not taken */
	EVENT_REJECTED
};

struct event_write {
	const char *source;
	const struct ical_entry *entry;
	json_t *body;	    /* of the event, as in ical_entry_body() */
	json_t *changes;    /* array of ical_entry_change() */
	const char *digest; /* of all of it */
	bool complete; /* nothing was mended or left out: while the digest is the same, there is nothing to do */
	TALLOC_CTX *mem; /* of what comes out */
	/* What comes out. */
	enum event_outcome outcome;
	const char *why; /* rejected */
	const char **notes;
	int note_count;
};

/* For import_transaction(): writes it (`arg` is a struct event_write). OK also when it is rejected. waits */
int event_write(struct task *t, void *arg) MUST_USE;

#endif
