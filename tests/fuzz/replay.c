/* SPDX-License-Identifier: Apache-2.0 */
/* The plain driver of a fuzz target: runs it on every file of the folders and files that are its arguments, and says how
 * many there were. What a target asserts, or a sanitizer finds, aborts it after the file's name. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "fuzz.h"

static long inputs;

static int run_file(const char *path, long long size)
{
	FILE *f = fopen(path, "rb");
	/* no byte more, so that reading past the end is seen */
	uint8_t *data = malloc((size_t)size);
	int rc = -1;

	if (f && (data || size == 0) && fread(data, 1, (size_t)size, f) == (size_t)size) {
		fprintf(stderr, "%s\n", path);
		LLVMFuzzerTestOneInput(data, (size_t)size);
		inputs++;
		rc = 0;
	} else {
		perror(path);
	}
	free(data);
	if (f)
		fclose(f);
	return rc;
}

static int run(const char *path);

static int run_folder(const char *path)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), rc = n < 0 ? -1 : 0;

	for (int i = 0; i < n; i++) {
		char *inner = talloc_asprintf(NULL, "%s/%s", path, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.' && run(inner) != 0)
			rc = -1;
		talloc_free(inner);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return rc;
}

static int run(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		perror(path);
		return -1;
	}
	return S_ISDIR(st.st_mode) ? run_folder(path) : run_file(path, st.st_size);
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc; i++)
		if (run(argv[i]) != 0)
			rc = 1;
	printf("%s: %ld inputs\n", program_invocation_short_name, inputs);
	return rc;
}
