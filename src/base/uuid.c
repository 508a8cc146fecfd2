/* SPDX-License-Identifier: Apache-2.0 */
/* UUIDs; see uuid.h. */
#include "base/uuid.h"

#include <ctype.h>
#include <sodium.h>
#include <stdint.h>
#include "base/time.h"
#include "base/banned.h"

/* 48 bits of milliseconds, a 12-bit counter within the millisecond (RFC 9562 section 6.2, method 1), 62 random bits.
 * libsodium notices forks by itself. */
void uuid_new(char out[UUID_TEXT_SIZE])
{
	static uint64_t last_ms;
	static unsigned counter;
	static const char hex[] = "0123456789abcdef";
	unsigned char bytes[16];
	uint64_t ms = time_unix_ms();
	int at = 0;

	if (ms > last_ms) {
		last_ms = ms;
		counter = randombytes_random() & 0x3ff;
	} else if (++counter > 0xfff) {
		last_ms++; /* borrow from the next millisecond rather than repeat */
		counter = 0;
	}
	randombytes_buf(bytes + 8, 8);
	for (int i = 0; i < 6; i++)
		bytes[i] = (unsigned char)(last_ms >> (40 - 8 * i));
	bytes[6] = (unsigned char)(0x70 | counter >> 8);
	bytes[7] = (unsigned char)(counter & 0xff);
	bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = hex[bytes[i] >> 4];
		out[at++] = hex[bytes[i] & 15];
	}
	out[at] = '\0';
}

bool uuid_is(const char *text)
{
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
			return false;
	}
	return text[36] == '\0';
}
