/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of coroutines: they wait, go on where they were, and their stacks are used again. */
#include "test.h"
#include "io/coro.c"

static struct coro *waiting[1000];
static int step;

static void run_through(void *arg)
{
	*(bool *)arg = coro_self() != NULL;
}

static void test_one_that_never_waits_is_over_at_once(void **state)
{
	bool ran = false;

	(void)state;
	assert_null(coro_self());
	assert_int_equal(coro_start(run_through, &ran), 0);
	assert_true(ran);
	assert_null(coro_self());
	assert_int_equal(coro_count(), 0);
}

static void wait_twice(void *arg)
{
	char kept[1000];

	memset(kept, 'k', sizeof(kept));
	*(struct coro **)arg = coro_self();
	step = 1;
	coro_wait();
	step = 2;
	coro_wait();
	step = kept[0] == 'k' && kept[999] == 'k' ? 3 : -1;
}

static void test_it_goes_on_where_it_was(void **state)
{
	(void)state;
	assert_int_equal(coro_start(wait_twice, &waiting[0]), 0);
	assert_int_equal(step, 1);
	assert_int_equal(coro_count(), 1);
	coro_resume(waiting[0]);
	assert_int_equal(step, 2);
	coro_resume(waiting[0]);
	assert_int_equal(step, 3);
	assert_int_equal(coro_count(), 0);
}

static void wait_once(void *arg)
{
	*(struct coro **)arg = coro_self();
	coro_wait();
}

/* More than the pool keeps, ended in another order than begun; twice, so that the second round has used stacks. */
static void test_many_at_once(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT_OF(waiting); i++)
			assert_int_equal(coro_start(wait_once, &waiting[i]), 0);
		assert_int_equal(coro_count(), COUNT_OF(waiting));
		for (size_t i = 0; i < COUNT_OF(waiting); i += 2)
			coro_resume(waiting[i]);
		for (size_t i = COUNT_OF(waiting) - 1; i < COUNT_OF(waiting); i -= 2)
			coro_resume(waiting[i]);
		assert_int_equal(coro_count(), 0);
		assert_true(pool_count <= pool_max);
	}
	coro_cleanup();
	assert_int_equal(pool_count, 0);
}

static void use_the_stack(void *arg)
{
	volatile char much[STACK_DEFAULT - 16384];

	much[0] = 1;
	much[sizeof(much) - 1] = 1;
	*(int *)arg = much[0] + much[sizeof(much) - 1];
}

static void test_nearly_the_whole_stack_can_be_used(void **state)
{
	int sum = 0;

	(void)state;
	assert_int_equal(coro_start(use_the_stack, &sum), 0);
	assert_int_equal(sum, 2);
	coro_cleanup();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_never_waits_is_over_at_once),
		cmocka_unit_test(test_it_goes_on_where_it_was),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_nearly_the_whole_stack_can_be_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
