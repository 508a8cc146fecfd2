/* SPDX-License-Identifier: Apache-2.0 */
/* The secret key; see secret.h. */
#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/banned.h"

enum {
	HEX_DIGITS = 2 * SECRET_KEY_BYTES,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG_BYTES = crypto_aead_xchacha20poly1305_ietf_ABYTES,
	BASE64 = sodium_base64_VARIANT_URLSAFE_NO_PADDING
};

static unsigned char master[SECRET_KEY_BYTES];
static bool is_set;

static int take_hex(const char *hex, size_t len)
{
	size_t bytes;

	if (len != HEX_DIGITS ||
	    sodium_hex2bin(master, sizeof(master), hex, len, NULL, &bytes, NULL) != 0 ||
	    bytes != sizeof(master))
		return -1;
	is_set = true;
	return 0;
}

/* Complete under another name first: who finds the file finds all of it, and two that make it at once agree on one. */
static int make_file(const char *folder, const char *path)
{
	char temporary[1200], text[HEX_DIGITS + 1];
	unsigned char key[SECRET_KEY_BYTES];
	bool good;
	int fd;

	if (mkdir(folder, 0755) != 0 && errno != EEXIST)
		return -1;
	snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	randombytes_buf(key, sizeof(key));
	sodium_bin2hex(text, sizeof(text), key, sizeof(key));
	good = write(fd, text, HEX_DIGITS) == HEX_DIGITS && fsync(fd) == 0;
	close(fd);
	good = good && (link(temporary, path) == 0 || errno == EEXIST);
	unlink(temporary);
	sodium_memzero(key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return good ? 0 : -1;
}

static int take_file(const char *path)
{
	char text[HEX_DIGITS + 1] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	errno = EINVAL;
	return take_hex(text, len < 0 ? 0 : (size_t)len);
}

int secret_setup(const char *hex, const char *folder, char *why, size_t size)
{
	char path[1100];

	if (hex[0]) {
		if (take_hex(hex, strlen(hex)) == 0)
			return 0;
		snprintf(why, size, "GUILDFORD_SECRET_KEY must be %d hexadecimal digits",
			 HEX_DIGITS);
		return -1;
	}
	snprintf(path, sizeof(path), "%s/secret.key", folder);
	if (access(path, F_OK) != 0 && make_file(folder, path) != 0) {
		snprintf(why, size, "cannot make the secret key %s: %s", path, strerror(errno));
		return -1;
	}
	if (take_file(path) == 0)
		return 0;
	snprintf(why, size, "cannot read the secret key %s: %s", path,
		 errno == EINVAL ? "it must hold 64 hexadecimal digits" : strerror(errno));
	return -1;
}

void secret_derive(const char *purpose, unsigned char key[SECRET_KEY_BYTES])
{
	assert(is_set);
	crypto_generichash(key, SECRET_KEY_BYTES, (const unsigned char *)purpose, strlen(purpose),
			   master, sizeof(master));
}

static char *to_base64(TALLOC_CTX *mem, const unsigned char *bytes, size_t len)
{
	size_t room = sodium_base64_ENCODED_LEN(len, BASE64);
	char *text = talloc_size(mem, room);

	return sodium_bin2base64(text, room, bytes, len, BASE64);
}

char *secret_seal(TALLOC_CTX *mem, const char *purpose, const void *bytes, size_t len)
{
	unsigned char key[SECRET_KEY_BYTES];
	unsigned char *sealed = talloc_size(mem, NONCE_BYTES + len + TAG_BYTES);
	char *text;

	secret_derive(purpose, key);
	randombytes_buf(sealed, NONCE_BYTES);
	crypto_aead_xchacha20poly1305_ietf_encrypt(sealed + NONCE_BYTES, NULL, bytes, len, NULL, 0,
						   NULL, sealed, key);
	sodium_memzero(key, sizeof(key));
	text = to_base64(mem, sealed, NONCE_BYTES + len + TAG_BYTES);
	talloc_free(sealed);
	return text;
}

char *secret_open(TALLOC_CTX *mem, const char *purpose, const char *text, size_t *len)
{
	unsigned char key[SECRET_KEY_BYTES];
	size_t room = strlen(text), sealed_len;
	unsigned char *sealed = talloc_size(mem, room + 1);
	char *bytes = NULL;
	unsigned long long opened;

	if (sodium_base642bin(sealed, room + 1, text, room, NULL, &sealed_len, NULL, BASE64) != 0 ||
	    sealed_len < NONCE_BYTES + TAG_BYTES)
		return NULL;
	bytes = talloc_zero_size(mem, sealed_len - NONCE_BYTES - TAG_BYTES + 1);
	secret_derive(purpose, key);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    (unsigned char *)bytes, &opened, NULL, sealed + NONCE_BYTES,
		    sealed_len - NONCE_BYTES, NULL, 0, sealed, key) != 0)
		bytes = NULL;
	sodium_memzero(key, sizeof(key));
	talloc_free(sealed);
	if (bytes)
		*len = (size_t)opened;
	return bytes;
}

char *secret_digest(TALLOC_CTX *mem, const char *purpose, const char *text)
{
	unsigned char key[SECRET_KEY_BYTES], digest[32];
	char *hex = talloc_size(mem, 2 * sizeof(digest) + 1);

	secret_derive(purpose, key);
	crypto_generichash(digest, sizeof(digest), (const unsigned char *)text, strlen(text), key,
			   sizeof(key));
	sodium_memzero(key, sizeof(key));
	return sodium_bin2hex(hex, 2 * sizeof(digest) + 1, digest, sizeof(digest));
}

char *secret_token(TALLOC_CTX *mem)
{
	unsigned char bytes[32];

	randombytes_buf(bytes, sizeof(bytes));
	return to_base64(mem, bytes, sizeof(bytes));
}
