/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `services`, `resources`, `fields` and `actions` tables: what the API serves, said once. Routes, validation, SQL,
 * JSON, paging, OpenAPI and the documents are derived from these rows; nothing in them is executed but the few functions
 * that they point to.
 */
#ifndef MODEL_RESOURCE_H
#define MODEL_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <jansson.h>
#include "base/attr.h"
#include "io/http.h"
#include "io/task.h"

struct job;
struct request;
struct values;
struct select;

/* What a value is. model/types.c has one row per type with its JSON, OpenAPI and SQL names and its check. */
enum type {
	UUID,
	TEXT, /* one line; LINES with the MULTILINE flag */
	SLUG,
	INT,
	DECIMAL, /* double precision */
	BOOL,
	ENUM, /* one of .choices */
	TIME,
	DATE,
	LOCAL_TIME, /* a wall clock's, without a zone: "2026-11-28T19:30:00" */
	EMAIL,
	URL,
	PHONE,	  /* E.164; blanks, dashes and brackets are taken out, a leading 0 becomes +44 */
	POSTCODE, /* UK postcodes are checked and normalised when the country is GB */
	COUNTRY,  /* ISO 3166-1 alpha-2 */
	ZONE,	  /* IANA time zone */
	OBJECT,	  /* jsonb with typed .members */
	SECRET,	  /* a password or token: taken as it was sent, never given back */
	ADDRESS,  /* of a network's node: IPv4 or IPv6 */
	TYPES
};

enum field_flag {
	KEY = 1,	/* the id */
	REQUIRED = 2,	/* must be given when written */
	READ_ONLY = 4,	/* given by the program: refused in input */
	FILTER = 8,	/* ?name=value; a comma list means any of them */
	SORT = 16,	/* ?sort=name */
	MANY = 32,	/* a list: JSON array, SQL array */
	MULTILINE = 64, /* text may hold line breaks */
	NOT_NULL = 128, /* the column has a default and is never null */
	GUARDED = 256,	/* written only by who has the permission "<resource>:moderate" */
	PERSONAL =
		512, /* says who somebody is: the audit trail, which forgets nothing, leaves it out */
};

struct field {
	/* "phone"; "address.postcode" stands in the object `address`, in column address_postcode */
	const char *name;
	enum type type;
	unsigned flags;
	/* of a number: range; of text: code points; 0, 0: no limit but the type's */
	double min, max;
	int max_items;	     /* of MANY */
	const char *choices; /* "a|b|c" of an ENUM */
	/* of an OBJECT, ended by a row without a name; NULL, when READ_ONLY: it may have any */
	const struct field *members;
	const char *sort_sql; /* SQL to sort by, when it is not the column: "t.name_sort" */
	const char *example;  /* JSON text */
	const char *doc;
};

/* Who may do something. Deny by default: 0 is NOBODY. SIGNED_IN is a person with a session, and never an API key, for it
 * is about the caller. PERMITTED is who has the permission, by a role or, on one thing, by a relation to it. */
enum allow { NOBODY = 0, ANYONE, SIGNED_IN, PERMITTED };

struct allow_rules {
	enum allow list, get, create, update, remove;
};

/* Which relations to a row (platform.relation), of a nested resource to its parent's, give the permission for it:
 * "owner|manager". remove is restore's, too. */
struct related_rules {
	const char *read, *update, *remove;
	/* Another thing whose people may as well: the row's `via_column` is the id of a `via_resource`, a word for
	 * platform.relation only, and these are the relations to it: "owner|manager". NULL: no such thing. */
	const char *via_column, *via_resource, *via;
};

/* A query parameter of a list that is not simply a field's equality. `apply` adds its condition to the SELECT; it reads
 * further parameters (near with radius) itself, which then have rows with NULL here. */
struct filter {
	const char *name;
	bool required;
	const char *schema;  /* OpenAPI schema, JSON text */
	const char *example; /* JSON text */
	const char *doc;
	/* Checks the value and adds conditions and parameters; task_problem() for a bad value. May wait. */
	int (*apply)(struct request *r, struct select *s, const char *value);
};

/* A way to sort that is not a field: relevance, distance. */
struct sort {
	const char *name;
	const char *needs; /* the query parameter without which it makes no sense, NULL: none */
	bool only_asked;   /* not of itself the order when what it needs is given */
	bool descending;   /* the natural direction; "-" turns it round */
	const char *sql;   /* of one that needs nothing */
	const char *doc;
};

/* Something that belongs to a resource's rows and is fetched for a whole page at once: ?include=name. The statement is
 * "select ... from unnest($1::uuid[]) with ordinality o (id, n) <join> order by o.n, <order>", where `join` brings in
 * the related rows as t. */
struct relation {
	const char *name;
	const struct resource *resource;
	const char *join;
	const char *order;
	const char *doc;
};

/* An action that is not plain CRUD: its own path, its own function. */
struct action {
	enum http_method method;
	/* below the service's root: "/businesses/{id}/restore"; "{id}" is a path parameter */
	const char *path;
	enum allow allow;
	/* of PERMITTED: "person:grant" (of others one that `act` asks for itself); and the relations to the resource's row
	 * {id} that are as good */
	const char *permission, *related;
	bool recent; /* only soon after the caller has shown who they are: 403 STEP_UP_REQUIRED */
	bool writes; /* runs in a transaction */
	bool tagged; /* the reply carries an ETag: of its bytes, or of the row that it writes, which If-Match then guards */
	bool unversioned; /* stands at the root, not under /v1: /livez */
	const char *name; /* operationId: "business_restore" */
	const char *doc;
	const struct resource *takes;	 /* the body: its fields are checked, as r->values */
	int status;			 /* of success; 0: 200 */
	const struct resource *resource; /* what the reply's data is, NULL: see reply_schema */
	bool many;			 /* it is an array of them */
	const char *reply_schema;	 /* OpenAPI schema of `data`, JSON text */
	const char *media_type;		 /* of a reply that is not the envelope: "text/plain" */
	const struct filter *parameters; /* query parameters; ended by a row without a name */
	int (*act)(struct request *r);
	const char *
		limit; /* a policy of gateway/limit.c that counts it besides the general one, NULL: none */
	bool free; /* no limit counts it */
	/* query parameters that no row names are ignored: who sends them follows rules that are not ours */
	bool any_parameters;
};

struct resource {
	const char *name;    /* "business" */
	const char *plural;  /* "businesses": the path */
	const char *service; /* the SQL schema */
	const char *doc;
	/* a nested resource: path "/businesses/{id}/inspections"; this is "businesses" ... */
	const char *parent;
	const char *parent_column; /* ... and this the column with the parent's id */
	const struct resource *parent_resource;
	struct allow_rules allow;
	struct related_rules related;
	bool owned;		      /* who creates a row is its owner */
	const struct field *fields;   /* ended by a row without a name */
	const struct filter *filters; /* the same */
	const struct sort *sorts;
	const struct field *hit_fields; /* that only hits of a search have: distance_m */
	/* A list's items are not its rows but, joined to them as h, rows of this resource, each as an object of its name. The
	 * function that begins the list says how: select.way_in. */
	const struct resource *hit;
	/* Begins a list: how its rows are found, and conditions that each has, before those of filters. Nothing waits. */
	int (*list)(struct request *r, struct select *s);
	const struct relation *relations;
	const struct action *actions;
	const char *default_sort; /* "name" or "-date" */
	bool has_slug;		  /* an id in a path may also be the slug */
	bool track_edits;	  /* column edited_fields notes which fields people have written */
	bool audited_reads;	  /* who reads them is noted in the audit trail */
	/* a column that is another when what is no edit has changed, such as a count: part of the ETag, but If-Match does not ask
	 * for it. NULL: none */
	const char *counts_version;
	/* Keeps to the rows that the caller may know of: adds its condition, on the rows as t. `item`: one is asked for by its
	 * id, and not a list. NULL: everybody may know all. Nothing waits. */
	void (*visible)(struct request *r, struct select *s, bool item);
	/* Rules that a row cannot say; `old` is NULL for a create. When `old` is deleted, it is about to be restored and
	 * no value is set. May change values and may wait. */
	int (*before_write)(struct request *r, struct values *v, json_t *old);
	/* The same for a delete. May wait. */
	int (*before_remove)(struct request *r, json_t *old);
	/* What follows from a write, in its transaction: `old` is NULL for a create, `row` (as it is written now) for a
	 * remove. May wait. */
	int (*after_write)(struct request *r, json_t *old, json_t *row);
	/* One row as schema.org describes such things (JSON-LD 1.1), for who asks for application/ld+json: `linked` is an object
	 * that lives as long as the request. May wait. NULL: it has no such form. */
	int (*json_ld)(struct request *r, json_t *row, json_t **linked);
	/* Turns a constraint's violation (task.failure.constraint) into a better failure. */
	int (*on_conflict)(struct request *r, struct values *v, const char *constraint);
};

/* What a service keeps about people, for who asks what there is of them, or wants to be forgotten (GDPR articles 15 and 17).
 * $1 is the person's id, $2 their address. */
struct holding {
	const char *name;	/* key of the export: "replies" */
	const char *export_sql; /* gives one JSON value */
	const char *forget_sql;
};

struct service {
	const char *name;
	const char *doc;
	const struct resource *const *resources; /* ended by NULL */
	const struct action
		*actions;	/* that belong to no resource; ended by a row without a path */
	const struct job *jobs; /* store/job.h; ended by a row without a name, NULL: none */
	const struct holding *holdings; /* ended by a row without a name, NULL: none */
};

/* All services of this program, ended by NULL: src/cli/services.c. */
extern const struct service *const services[];

#endif
