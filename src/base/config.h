/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `config` table: every setting with its name, type, default, range and text. config_load() reads the environment,
 * then flags; the result is constant for the life of the process. `guildford config` prints the table.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"

struct config {
	const char *listen;	  /* host:port */
	const char *data;	  /* folder of the private cluster */
	int workers;		  /* 0: one per core */
	const char *database_url; /* "": the private cluster */
	const char *secret_key;	  /* "": the file secret.key in the data folder */
	const char *log_level;
	bool access_log;
	const char *cors_origins; /* comma list, "" none, "*" any */
	int header_max;		  /* bytes */
	int url_max;		  /* bytes */
	int body_max;		  /* bytes */
	int header_timeout;	  /* ms */
	int body_timeout;	  /* ms */
	int idle_timeout;	  /* ms */
	int write_timeout;	  /* ms without progress of a slow reader */
	int drain_timeout;	  /* ms */
	int request_timeout;	  /* ms: the deadline of a request's waits */
	int connections_max;	  /* per worker */
	int requests_max;	  /* in flight per worker */
	int database_pipelines;	  /* connections for short statements, per worker */
	int database_leases;	  /* connections for transactions and long statements, per worker */
	int statement_timeout;	  /* ms */
	int password_queue;	  /* passwords that wait for their hash, per worker */
	const char *public_url;	  /* where people reach it, without a path; the issuer of tokens */
	const char *town;	  /* its name, in mails */
	const char *mail_from;	  /* "Name <address>" or an address */
	const char *smtp_url;	  /* "": mails become files in the data folder */
	const char *smtp_tls;	  /* auto, off, opportunistic or required */
	const char *ca_file;	  /* PEM file of what outgoing TLS trusts, "": the system's */
	const char *redis_url;	  /* "": none */
	int redis_timeout;	  /* ms: how long a call to Redis waits */
	const char *trusted_proxies; /* comma list of networks */
	bool limits;
	int limit_authenticated;			     /* requests in a minute */
	int limit_anonymous;				     /* requests in a minute */
	const char *google_client_id, *google_client_secret; /* "": not offered */
	const char *google_issuer, *google_authorization_url, *google_token_url, *google_jwks_url;
	const char *facebook_client_id, *facebook_client_secret; /* "": not offered */
	const char *facebook_authorization_url, *facebook_token_url, *facebook_me_url;
	const char *oauth_return_urls; /* comma list; "": PUBLIC_URL/signed-in */
	const char *time_zone;	       /* the town's, IANA */
	int reply_claim_hours;	       /* how long an offered place is kept */
	const char *calendars;	       /* comma list of URLs to follow */
	bool calendars_private;	       /* from private addresses, too */
};

enum config_type { CONFIG_TEXT, CONFIG_INT, CONFIG_BOOL, CONFIG_CHOICE };
enum config_flag { CONFIG_SECRET = 1 };

struct config_row {
	const char *env;  /* GUILDFORD_LISTEN */
	const char *flag; /* "listen" for --listen, NULL when there is no flag */
	enum config_type type;
	size_t offset;			 /* in struct config */
	const char *def;		 /* default, as text */
	long long min, max;		 /* of an int; of a text: its length */
	const char *choices;		 /* "debug|info|warn" of a CONFIG_CHOICE */
	bool (*check)(const char *text); /* of a text: is it one that can be used? NULL: any is */
	const char *takes;		 /* what check() wants: "an address and port such as ..." */
	unsigned flags;
	const char *unit; /* "ms", "bytes" or NULL */
	const char *doc;
};

extern const struct config_row config_rows[];
extern const size_t config_rows_count;

/* The settings in force. Written by config_load() only. */
extern struct config config;

/* Reads defaults, the environment, then the flags ("--listen", "host:port" or "--listen=host:port") that stand in
 * argv; known flags are removed from argv and *argc lowered, so that the rest is the command's own. Returns 0, or -1
 * with a text in `why` (at most `size` bytes) that names the setting and what it takes. Call it once, before any fork. */
int config_load(int *argc, char **argv, char *why, size_t size) MUST_USE;
/* Where the value of row `i` came from: "default", "environment" or "flag". */
const char *config_source(size_t i);
/* The value of row `i` as text, secrets as "********" (or "" when unset) unless `reveal`; `out` has `size` bytes. */
void config_text(size_t i, bool reveal, char *out, size_t size);

#endif
