/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stackful coroutines on ucontext. The sanitizers are told of each switch, in the order that AddressSanitizer wants:
 * start before leaving a stack, finish first thing on the other; a last leave passes NULL so that the fake stack goes.
 */
#include "io/coro.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef GUILDFORD_SANITIZE
#include <sanitizer/common_interface_defs.h>
#endif
#include "base/banned.h"

#ifdef GUILDFORD_SANITIZE
enum { STACK_DEFAULT = 512 * 1024 };
#else
enum { STACK_DEFAULT = 64 * 1024 };
#endif

/* Lives at the top of its own stack. */
struct coro {
	ucontext_t context;
	coro_fn *fn;
	void *arg;
	char *stack;
	struct coro *next; /* in the pool */
	bool ended;
	void *fake_stack;
};

static size_t stack_size = STACK_DEFAULT;
static int pool_max = 256;
static int pool_count;
static struct coro *pool;
static int alive;
static struct coro *running;
static ucontext_t loop_context;
#ifdef GUILDFORD_SANITIZE
static void *loop_fake_stack;
static const void *loop_stack;
static size_t loop_stack_size;
#endif

void coro_setup(size_t size, int pooled)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	stack_size = (size + page - 1) / page * page;
	pool_max = pooled;
}

/* Maps a stack whose lowest page is a guard: running over it is a fault at once, not a strange bug later. */
static struct coro *map_stack(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *stack = mmap(NULL, stack_size + page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct coro *c;

	if (stack == MAP_FAILED)
		return NULL;
	if (mprotect(stack, page, PROT_NONE) != 0) {
		munmap(stack, stack_size + page);
		return NULL;
	}
	c = (struct coro *)(void *)(stack + page + stack_size - sizeof(struct coro) - 64);
	c = (struct coro *)((uintptr_t)c & ~(uintptr_t)63);
	c->stack = stack;
	return c;
}

static void unmap_stack(struct coro *c)
{
	munmap(c->stack, stack_size + (size_t)sysconf(_SC_PAGESIZE));
}

static struct coro *take(void)
{
	struct coro *c = pool;

	if (!c)
		return map_stack();
	pool = c->next;
	pool_count--;
	return c;
}

static void give_back(struct coro *c)
{
	if (pool_count >= pool_max) {
		unmap_stack(c);
		return;
	}
	c->next = pool;
	pool = c;
	pool_count++;
}

static void *stack_bottom(const struct coro *c)
{
	return c->stack + sysconf(_SC_PAGESIZE);
}

static size_t usable(const struct coro *c)
{
	return (size_t)((const char *)c - (const char *)stack_bottom(c));
}

/* From a coroutine to the loop. */
static void leave(struct coro *c)
{
#ifdef GUILDFORD_SANITIZE
	__sanitizer_start_switch_fiber(c->ended ? NULL : &c->fake_stack, loop_stack,
				       loop_stack_size);
#endif
	running = NULL;
	swapcontext(&c->context, &loop_context);
#ifdef GUILDFORD_SANITIZE
	__sanitizer_finish_switch_fiber(c->fake_stack, &loop_stack, &loop_stack_size);
#endif
}

static void enter(struct coro *c)
{
	running = c;
#ifdef GUILDFORD_SANITIZE
	__sanitizer_start_switch_fiber(&loop_fake_stack, stack_bottom(c), usable(c));
#endif
	swapcontext(&loop_context, &c->context);
#ifdef GUILDFORD_SANITIZE
	__sanitizer_finish_switch_fiber(loop_fake_stack, NULL, NULL);
#endif
	if (!c->ended)
		return;
	alive--;
	give_back(c);
}

static void body(void)
{
	struct coro *c = running;

#ifdef GUILDFORD_SANITIZE
	__sanitizer_finish_switch_fiber(NULL, &loop_stack, &loop_stack_size);
#endif
	c->fn(c->arg);
	c->ended = true;
	leave(c);
	abort(); /* nobody resumes an ended coroutine */
}

int coro_start(coro_fn *fn, void *arg)
{
	struct coro *c = take();

	assert(!running);
	if (!c)
		return -1;
	c->fn = fn;
	c->arg = arg;
	c->ended = false;
	c->fake_stack = NULL;
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = stack_bottom(c);
	c->context.uc_stack.ss_size = usable(c);
	c->context.uc_link = NULL;
	makecontext(&c->context, body, 0);
	alive++;
	enter(c);
	return 0;
}

struct coro *coro_self(void)
{
	return running;
}

void coro_wait(void)
{
	assert(running);
	leave(running);
}

void coro_resume(struct coro *c)
{
	assert(!running && !c->ended);
	enter(c);
}

int coro_count(void)
{
	return alive;
}

void coro_cleanup(void)
{
	while (pool) {
		struct coro *c = pool;

		pool = c->next;
		unmap_stack(c);
	}
	pool_count = 0;
}
