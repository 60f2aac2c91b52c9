#include "axl/sync.h"

#include "axl/text_list.h"
#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

#define FOREIGN_MAX 64 /* rows of others that are named; who has more has another problem */
#define FOREIGN_BYTES 128
#define STATEMENTS_MAX 256 /* between two looks; what is more comes after the next */
#define ROUNDS_MAX 2 /* of changes in one round: a table that then differs has another master */
#define WHY_BYTES 256
#define DUPLICATE_KEY (-239)
#define BUSY_FIRST_S 5
#define BUSY_LAST_S 60
#define RETRY_FIRST_S 15
#define RETRY_LAST_S 300

enum phase {
	IDLE,
	LOOKING,
	CHANGING,
};

struct axl_sync {
	struct text_list wanted, written; /* as cp_ids */
	enum phase phase;
	size_t version;	  /* in axl_versions */
	unsigned refused; /* versions, as bits, in this round */
	struct axl_request request;
	bool send; /* `request` is to be sent */

	struct text_list statements; /* of this round, in order */
	size_t done;		     /* of them */
	unsigned rounds, changed;
	struct text_list foreign;
	bool has_stale;

	struct axl_action outcome; /* DONE or FAILED, not yet taken */
	char why[WHY_BYTES];
	unsigned busy_s, retry_s; /* what the next wait will be */
};

struct axl_sync *axl_sync_create(void)
{
	struct axl_sync *sync = xcalloc(1, sizeof(*sync));

	sync->busy_s = BUSY_FIRST_S;
	sync->retry_s = RETRY_FIRST_S;
	return sync;
}

void axl_sync_destroy(struct axl_sync **sync_ref)
{
	struct axl_sync *sync = *sync_ref;

	if (!sync)
		return;
	*sync_ref = NULL;
	text_list_finish(&sync->wanted);
	text_list_finish(&sync->written);
	text_list_finish(&sync->statements);
	text_list_finish(&sync->foreign);
	free(sync->request.sql);
	free(sync);
}

static void fill(struct text_list *list, const char *const *realms, size_t count)
{
	text_list_finish(list);
	for (size_t i = 0; i < count; i++) {
		char *cp_id = xasprintf(REALM_COMPONENT ".%s", realms[i]);

		text_list_add(list, cp_id);
		free(cp_id);
	}
}

void axl_sync_want(struct axl_sync *sync, const char *const *realms, size_t count,
		   const char *const *written, size_t written_count)
{
	fill(&sync->wanted, realms, count);
	fill(&sync->written, written, written_count);
}

/* Takes `sql`. */
static void send_sql(struct axl_sync *sync, enum axl_operation operation, char *sql)
{
	free(sync->request.sql);
	sync->request.sql = sql;
	sync->request.operation = operation;
	sync->request.has_sequence = true;
	sync->request.sequence++;
	snprintf(sync->request.version, sizeof(sync->request.version), "%s",
		 axl_versions[sync->version]);
	sync->send = true;
}

static void look(struct axl_sync *sync)
{
	sync->phase = LOOKING;
	send_sql(sync, AXL_QUERY, xstrdup("select pkid, cp_id from xmpps2snodes"));
}

void axl_sync_begin(struct axl_sync *sync)
{
	if (sync->phase != IDLE)
		return;
	sync->refused = 0;
	sync->rounds = sync->changed = 0;
	sync->outcome = (struct axl_action){ 0 };
	look(sync);
}

/* A failure's words may come from the server: no control characters, and cut. */
static void fail(struct axl_sync *sync, enum axl_trouble trouble, const char *why)
{
	unsigned *wait_s = trouble == AXL_BUSY ? &sync->busy_s : &sync->retry_s;
	unsigned most_s = trouble == AXL_BUSY ? BUSY_LAST_S : RETRY_LAST_S;

	snprintf(sync->why, sizeof(sync->why), "%s", why);
	for (char *c = sync->why; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	sync->phase = IDLE;
	sync->send = false;
	sync->outcome = (struct axl_action){ .type = AXL_ACT_FAILED,
					     .trouble = trouble,
					     .why = sync->why,
					     .changed = sync->changed };
	if (axl_trouble_is_final(trouble))
		return;
	sync->outcome.retry_s = *wait_s;
	*wait_s = *wait_s * 2 < most_s ? *wait_s * 2 : most_s;
}

static void finish(struct axl_sync *sync)
{
	sync->phase = IDLE;
	sync->busy_s = BUSY_FIRST_S;
	sync->retry_s = RETRY_FIRST_S;
	sync->outcome = (struct axl_action){ .type = AXL_ACT_DONE, .changed = sync->changed };
}

/* A quote in the value is doubled. */
static void add_statement(struct axl_sync *sync, const char *before, const char *value,
			  const char *after)
{
	struct buffer sql = { 0 };
	char *text;

	buffer_append_text(&sql, before);
	for (; *value; value++)
		buffer_append(&sql, *value == '\'' ? "''" : value, *value == '\'' ? 2 : 1);
	buffer_append_text(&sql, after);
	text = buffer_take_text(&sql);
	if (sync->statements.count < STATEMENTS_MAX)
		text_list_add(&sync->statements, text);
	free(text);
}

static size_t column_of(const struct axl_rows *rows, const char *name)
{
	size_t column = 0;

	while (column < rows->columns && strcmp(rows->names[column], name) != 0)
		column++;
	return column;
}

/* For people, who see them with a space between. */
static void note_foreign(struct axl_sync *sync, const char *cp_id)
{
	char word[FOREIGN_BYTES + 1];

	if (sync->foreign.count == FOREIGN_MAX)
		return;
	snprintf(word, sizeof(word), "%s", cp_id);
	for (char *c = word; *c; c++) {
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			*c = '?';
	}
	text_list_add(&sync->foreign, word);
}

/* What is to be done about one row: nothing, or a statement. `seen`: wanted ones so far. */
static void judge_row(struct axl_sync *sync, const char *pkid, const char *cp_id,
		      struct text_list *seen)
{
	if (text_list_has(&sync->wanted, cp_id)) {
		if (!text_list_has(seen, cp_id))
			text_list_add(seen, cp_id);
		else if (pkid)
			add_statement(sync, "delete from xmpps2snodes where pkid = '", pkid, "'");
	} else if (text_list_has(&sync->written, cp_id)) {
		sync->has_stale = true;
		add_statement(sync, "delete from xmpps2snodes where cp_id = '", cp_id, "'");
	} else {
		note_foreign(sync, cp_id);
	}
}

static void plan(struct axl_sync *sync, const struct axl_rows *rows)
{
	size_t pkid = column_of(rows, "pkid"), cp_id = column_of(rows, "cp_id");
	struct text_list seen = { 0 };

	text_list_finish(&sync->statements);
	text_list_finish(&sync->foreign);
	sync->done = 0;
	sync->has_stale = false;
	for (size_t i = 0; i < rows->count && cp_id < rows->columns; i++) {
		char **cells = rows->cells + i * rows->columns;

		if (cells[cp_id])
			judge_row(sync, pkid < rows->columns ? cells[pkid] : NULL, cells[cp_id],
				  &seen);
	}
	for (size_t i = 0; i < sync->wanted.count; i++) {
		if (!text_list_has(&seen, sync->wanted.items[i]))
			add_statement(sync,
				      "insert into xmpps2snodes (pkid, cp_id) values (newid(), '",
				      sync->wanted.items[i], "')");
	}
	text_list_finish(&seen);
}

static void change_next(struct axl_sync *sync)
{
	if (sync->done == sync->statements.count) {
		look(sync);
		return;
	}
	sync->phase = CHANGING;
	send_sql(sync, AXL_UPDATE, xstrdup(sync->statements.items[sync->done]));
}

static void take_rows(struct axl_sync *sync, const struct axl_rows *rows)
{
	plan(sync, rows);
	if (!sync->statements.count)
		finish(sync);
	else if (sync->rounds++ == ROUNDS_MAX)
		fail(sync, AXL_FAULT,
		     "the table does not keep what is written: somebody else changes it too");
	else
		change_next(sync);
}

/* Somebody who was faster with the same row is no harm: the look afterwards tells. */
static void take_fault(struct axl_sync *sync, const struct axl_fault *fault)
{
	char *why;

	if (sync->phase == CHANGING && fault->code == DUPLICATE_KEY) {
		sync->done++;
		change_next(sync);
		return;
	}
	why = fault->code ? xasprintf("%d %s", fault->code, fault->message)
			  : xstrdup(fault->message ? fault->message : "");
	fail(sync, AXL_FAULT, why);
	free(why);
}

static void take_response(struct axl_sync *sync, long status, struct slice body)
{
	struct axl_response response = { 0 };
	const char *why = NULL;

	if (!axl_response_read(body, &response, &why)) {
		fail(sync, AXL_GIBBERISH, why);
		return;
	}
	if (response.is_fault) {
		take_fault(sync, &response.fault);
	} else if (status != 200 || response.operation != sync->request.operation) {
		fail(sync, AXL_GIBBERISH, "the response is not that of the request");
	} else if (response.operation == AXL_QUERY) {
		take_rows(sync, &response.rows);
	} else {
		sync->changed += response.rows_updated > 0;
		sync->done++;
		change_next(sync);
	}
	axl_response_finish(&response);
}

/* The newest version that was not refused in this round, with the same statement. */
static void step_down(struct axl_sync *sync)
{
	sync->refused |= 1u << sync->version;
	for (size_t i = 0; axl_versions[i]; i++) {
		if (!(sync->refused & 1u << i)) {
			sync->version = i;
			send_sql(sync, sync->request.operation, xstrdup(sync->request.sql));
			return;
		}
	}
	sync->version = 0;
	fail(sync, AXL_VERSION, "HTTP 599 for every schema version");
}

void axl_sync_answer(struct axl_sync *sync, long status, struct slice body)
{
	char words[40];

	if (sync->phase == IDLE || sync->send)
		return;
	switch (status) {
	case 200:
	case 500:
		take_response(sync, status, body);
		break;
	case 401:
		fail(sync, AXL_LOGIN, "HTTP 401");
		break;
	case 403:
		fail(sync, AXL_ROLE, "HTTP 403");
		break;
	case 503:
		fail(sync, AXL_BUSY, "HTTP 503");
		break;
	case 599:
		step_down(sync);
		break;
	default:
		snprintf(words, sizeof(words), "HTTP %ld", status);
		fail(sync, AXL_GIBBERISH, words);
	}
}

void axl_sync_trouble(struct axl_sync *sync, enum axl_trouble trouble, const char *why)
{
	if (sync->phase != IDLE && !sync->send)
		fail(sync, trouble, why ? why : "");
}

struct axl_action axl_sync_next(struct axl_sync *sync)
{
	struct axl_action action = sync->outcome;

	if (sync->send) {
		sync->send = false;
		return (struct axl_action){ .type = AXL_ACT_SEND, .request = &sync->request };
	}
	sync->outcome = (struct axl_action){ 0 };
	return action;
}

const char *axl_sync_version(const struct axl_sync *sync)
{
	return axl_versions[sync->version];
}

size_t axl_sync_foreign(const struct axl_sync *sync, const char *const **cp_ids)
{
	*cp_ids = (const char *const *)sync->foreign.items;
	return sync->foreign.count;
}

bool axl_sync_has_stale(const struct axl_sync *sync)
{
	return sync->has_stale;
}
