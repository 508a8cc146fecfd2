/* SPDX-License-Identifier: Apache-2.0 */
/* Turns; see turn.h. There are as many holders as things that are changed at the moment: a list is enough. */
#include "io/turn.h"

#include <assert.h>
#include <string.h>
#include "base/banned.h"

static struct turn *holders;

static struct turn *find(const char *key)
{
	for (struct turn *turn = holders; turn; turn = turn->next)
		if (strcmp(turn->key, key) == 0)
			return turn;
	return NULL;
}

static void hold(struct turn *turn)
{
	turn->next = holders;
	holders = turn;
}

static void unlink_from(struct turn **list, struct turn *turn)
{
	while (*list != turn) {
		assert(*list);
		list = &(*list)->next;
	}
	*list = turn->next;
}

/* Its deadline has passed. Who holds the key now need not be who held it when it came; it may be this one, whose turn came in
 * the same moment. */
static int give_up(struct task *t, struct turn *turn)
{
	struct turn *holder = find(turn->key);

	assert(holder);
	if (holder == turn) {
		turn_give(turn);
		return task_fail(t, E_TIMEOUT, NULL);
	}
	unlink_from(&holder->first, turn);
	holder->end = &holder->first;
	while (*holder->end)
		holder->end = &(*holder->end)->next;
	return task_fail(t, E_TIMEOUT, NULL);
}

int turn_take(struct task *t, struct turn *turn, const char *key)
{
	struct turn *holder = find(key);

	memset(turn, 0, sizeof(*turn));
	turn->key = key;
	turn->end = &turn->first;
	if (!holder) {
		hold(turn);
		return OK;
	}
	*holder->end = turn;
	holder->end = &turn->next;
	return waiter_wait(&turn->waiter, t->deadline) ? give_up(t, turn) : OK;
}

void turn_give(struct turn *turn)
{
	struct turn *next = turn->first;

	unlink_from(&holders, turn);
	if (!next)
		return;
	next->first = next->next;
	next->end = next->first ? turn->end : &next->first;
	hold(next);
	waiter_wake(&next->waiter, OK);
}
