/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-argon2 [THREADS [SECONDS]]: how many of our password hashes a second THREADS (one per core) can make with nothing
 * else to do. What logins/s are held against. Prints one number.
 */
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "auth/password.h"
#include "base/time.h"

enum { THREADS_MAX = 256 };

static _Atomic long hashes;
static uint64_t until;

static void *hash_on(void *arg)
{
	char text[crypto_pwhash_STRBYTES];

	(void)arg;
	while (time_monotonic_us() < until) {
		if (crypto_pwhash_argon2id_str(text, "correct horse battery staple", 28,
					       PASSWORD_TIME, PASSWORD_MEMORY) != 0)
			abort();
		atomic_fetch_add(&hashes, 1);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? strtol(argv[1], NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
	long seconds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
	pthread_t threads[THREADS_MAX];
	uint64_t start;

	if (count < 1 || count > THREADS_MAX || seconds < 1 || sodium_init() < 0)
		return 2;
	start = time_monotonic_us();
	until = start + (uint64_t)seconds * 1000000;
	for (long i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, hash_on, NULL) != 0)
			return 1;
	for (long i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	printf("%.1f\n",
	       (double)atomic_load(&hashes) * 1e6 / (double)(time_monotonic_us() - start));
	return 0;
}
