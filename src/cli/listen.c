/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the socket that all workers accept from: one queue, so that a dead worker takes no connection with it. */
#include "cli/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/banned.h"

enum { BACKLOG = 4096 };

static int parse(const char *text, struct sockaddr_storage *address, socklen_t *len)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	const char *colon = strrchr(text, ':');
	char host[64] = "";

	if (!colon)
		return -1;
	memset(address, 0, sizeof(*address));
	if (text[0] == '[' && colon[-1] == ']') {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text - 2), text + 1);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
		*len = sizeof(*v6);
		return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1 ? 0 : -1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
	*len = sizeof(*v4);
	if (strcmp(host, "localhost") == 0)
		snprintf(host, sizeof(host), "127.0.0.1");
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -1;
}

static void describe(int fd, const char *listen, char *url, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	in_port_t port = 0;

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		port = address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						     : ((struct sockaddr_in *)&address)->sin_port;
	snprintf(url, size, "http://%.*s:%d", (int)(strrchr(listen, ':') - listen), listen,
		 ntohs(port));
}

int listen_open(const char *listen_on, char *url, size_t url_size, char *why, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd, one = 1;

	if (parse(listen_on, &address, &len) != 0) {
		snprintf(why, size, "cannot listen on %s: not an address and port", listen_on);
		return -1;
	}
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, BACKLOG) != 0) {
		snprintf(why, size, "cannot listen on %s: %s", listen_on, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	describe(fd, listen_on, url, url_size);
	return fd;
}
