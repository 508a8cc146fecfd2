/* SPDX-License-Identifier: Apache-2.0 */
/* The list of permissions, filled at start by route.c, and sets of them. Nothing waits. */
#include "model/permission.h"

#include <assert.h>
#include <string.h>
#include "base/banned.h"

static const char *names[PERMISSIONS_MAX];
static int count;

int permission_find(const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

int permission_add(const char *name)
{
	int number = permission_find(name);

	if (number >= 0)
		return number;
	assert(count < PERMISSIONS_MAX);
	names[count] = name;
	return count++;
}

const char *permission_name(int number)
{
	return number >= 0 && number < count ? names[number] : NULL;
}

static bool fits(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (strcmp(pattern, "*") == 0)
		return true;
	if (len > 2 && strcmp(pattern + len - 2, ":*") == 0)
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

bool permissions_add(struct permissions *set, const char *pattern)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		if (!fits(pattern, names[i]))
			continue;
		set->bits[i / 64] |= UINT64_C(1) << (i % 64);
		any = true;
	}
	return any;
}

bool permissions_have(const struct permissions *set, int number)
{
	return number >= 0 && (set->bits[number / 64] >> (number % 64) & 1);
}
