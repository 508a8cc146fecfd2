/* SPDX-License-Identifier: Apache-2.0 */
/* A hasher: takes a password's digest, makes its hash, answers. It has no loop and no database, and blocks. */
#include "cli/hasher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "auth/password.h"
#include "base/config.h"
#include "base/log.h"
#include "cli/command.h"
#include "io/offload.h"
#include "base/banned.h"

int hasher_run(const struct hasher_settings *settings)
{
	char name[32];

	prctl(PR_SET_NAME, "guildford-hash");
	snprintf(name, sizeof(name), "hasher %d", settings->number);
	log_setup(log_level(), name);
	signal(SIGTERM, SIG_IGN);
	if (settings->ready_fd >= 0) {
		if (write(settings->ready_fd, "+", 1) != 1)
			log_error("cannot tell the supervisor that we are ready");
		close(settings->ready_fd);
	}
	if (offload_serve(password_work) == 0)
		return EXIT_DONE;
	log_error("nothing can be received any longer: %s", strerror(errno));
	log_flush();
	return EXIT_FAILED;
}
