/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stackful coroutines on glibc's ucontext: what lets a handler be straight-line code. A coroutine runs until it waits;
 * whoever it waits for resumes it from the loop's stack. Stacks are mapped with a guard page and pooled. One thread
 * only. Never killed: a wait that must end returns early and the function returns normally.
 */
#ifndef IO_CORO_H
#define IO_CORO_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "base/attr.h"

struct coro;
typedef void coro_fn(void *arg);

/* Sets the stack size in bytes (rounded up to pages) and how many stacks are kept for reuse. Optional. */
void coro_setup(size_t stack_size, int pooled);
/* Runs fn(arg) on a stack of its own until it waits or returns. Must be called from the loop's stack. Returns 0, or -1
 * when no stack could be mapped. */
int coro_start(coro_fn *fn, void *arg) MUST_USE;
/* The running coroutine, NULL on the loop's stack. */
struct coro *coro_self(void);
/* Suspends the running coroutine until coro_resume(). waits */
void coro_wait(void);
/* Continues a waiting coroutine; returns when it waits again or ends. Only from the loop's stack. */
void coro_resume(struct coro *c);
/* Coroutines alive. */
int coro_count(void);
/* Unmaps the pooled stacks (at exit, so that leak checks are clean). */
void coro_cleanup(void);

#endif
