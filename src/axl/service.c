#include "axl/service.h"

#include "base/alloc.h"
#include "net/https_server.h"
#include "tables/events.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 64
#define CONNECTIONS_PER_ADDRESS 16 /* a core needs one or two */
#define TIMEOUT_S 30
#define SQL_LOGGED 120
#define FAILURES_FREE 10 /* wrong logins from an address in a minute that are answered at once */
#define FAILURES_FORGET_MS 60000
#define DELAY_MS 1000  /* the others wait for their answer */
#define DELAYED_MAX 32 /* so many at a time; beyond, 503 */
#define SCHEMA_VERSION_STATUS 599
#define ROLE "Standard AXL API Access"
#define REALM "Basic realm=\"Cisco Web Services Realm\""

struct user {
	char *name, *password;
	bool may_axl;
};

/* A change that waits to be stored; one at a time is at control. */
struct update {
	struct update *next;
	struct https_call *call; /* NULL: people asked */
	struct axl_request request;
	char *author;
	uint64_t session;
	axl_sql_fn *answered;
	void *arg;
	uint64_t rows_updated;
	struct axl_row *rows; /* the table as it will be */
	size_t count;
};

/* A refused login whose answer is put off. */
struct delayed {
	struct timer timer;
	struct axl_service *service;
	struct delayed *next;
	struct https_call *call;
};

struct axl_service {
	struct axl_service_config config;
	struct https_server *https;
	struct axl_tables *tables;
	struct user *users;
	size_t users_count;
	unsigned versions; /* bits, by place in axl_versions */
	struct update *first, **last;
	size_t waiting;
	bool asked; /* the first is at control */
	uint64_t tags;
	struct delayed *delayed;
	size_t delayed_count;
	struct {
		char host[64];
		unsigned count;
		uint64_t since_ms;
	} failures[64]; /* by a hash of the address */
};

/* Answers */

static void reply(struct https_call **call, int status, const char *type, struct buffer *body)
{
	https_reply(call, status, type, NULL,
		    (struct slice){ buffer_data(body), buffer_len(body) });
	buffer_finish(body);
}

static void reply_fault(struct https_call **call, bool clients, int code, const char *message,
			const char *operation)
{
	char *copy = xstrdup(message);
	struct axl_fault fault = { code, copy };
	struct buffer out = { 0 };

	axl_write_fault(&out, clients, &fault, operation);
	reply(call, 500, "text/xml; charset=utf-8", &out);
	free(copy);
}

static void log_served(const struct https_call *call, const char *user,
		       const struct axl_request *request, int status, const char *what)
{
	log_event(EVENT_AXL_SERVED, "from=%s user=%s function=%s status=%d sql=\"%.*s\" %s",
		  https_from(call), log_text(user),
		  request && request->sql ? axl_operation_name(request->operation) : "-", status,
		  SQL_LOGGED, request && request->sql ? request->sql : "", what);
}

/* Who may */

static const struct user *find_user(const struct axl_service *service, const char *name,
				    const char *password)
{
	const struct user *found = NULL;

	for (size_t i = 0; i < service->users_count; i++) {
		const struct user *user = &service->users[i];
		size_t len = strlen(user->password);

		if (strcmp(user->name, name) == 0 && strlen(password) == len &&
		    CRYPTO_memcmp(user->password, password, len) == 0)
			found = user;
	}
	return found;
}

static unsigned spread(const char *host)
{
	unsigned hash = 5381;

	while (*host)
		hash = hash * 33 + (unsigned char)*host++;
	return hash;
}

/* Wrong logins of the last minute from there, this one included. */
static unsigned count_failure(struct axl_service *service, const char *host)
{
	uint64_t now = loop_now_ms(service->config.loop);
	unsigned place = spread(host) % nitems(service->failures);

	if (strcmp(service->failures[place].host, host) != 0 ||
	    now - service->failures[place].since_ms > FAILURES_FORGET_MS) {
		service->failures[place].count = 0;
		service->failures[place].since_ms = now;
		snprintf(service->failures[place].host, sizeof(service->failures[place].host), "%s",
			 host);
	}
	return ++service->failures[place].count;
}

static void refuse_login(struct https_call **call)
{
	static const char *const headers[] = { "WWW-Authenticate", REALM, NULL };

	https_reply(call, 401, "text/plain; charset=utf-8", headers,
		    slice_of("A user name and password of axl.users are needed.\n"));
}

static void drop_delayed(struct delayed *delayed)
{
	struct delayed **at = &delayed->service->delayed;

	while (*at != delayed)
		at = &(*at)->next;
	*at = delayed->next;
	delayed->service->delayed_count--;
	loop_disarm(delayed->service->config.loop, &delayed->timer);
	refuse_login(&delayed->call);
	free(delayed);
}

static void on_delay(struct timer *timer)
{
	drop_delayed((void *)((char *)timer - offsetof(struct delayed, timer)));
}

static void delay_refusal(struct axl_service *service, struct https_call *call)
{
	struct delayed *delayed;

	if (service->delayed_count == DELAYED_MAX) {
		https_reply(&call, 503, "text/plain; charset=utf-8", NULL,
			    slice_of("Too many wrong logins.\n"));
		return;
	}
	delayed = xcalloc(1, sizeof(*delayed));
	*delayed = (struct delayed){ { .fire = on_delay }, service, service->delayed, call };
	service->delayed = delayed;
	service->delayed_count++;
	loop_arm(service->config.loop, &delayed->timer, DELAY_MS);
}

/* NULL: refused, and the call is answered or will be. */
static const struct user *admit(struct axl_service *service, struct https_call *call)
{
	char name[HTTPS_FIELD_BYTES + 1] = "", password[HTTPS_FIELD_BYTES + 1] = "";
	bool read = https_login(call, name, password);
	const struct user *user = read ? find_user(service, name, password) : NULL;

	OPENSSL_cleanse(password, sizeof(password));
	if (user && user->may_axl)
		return user;
	if (user) {
		log_served(call, name, NULL, 403, "why=\"the role " ROLE " is missing\"");
		https_reply(&call, 403, "text/plain; charset=utf-8", NULL,
			    slice_of("The user has not the role " ROLE ".\n"));
	} else {
		log_served(call, read ? name : NULL, NULL, 401, "why=\"wrong user or password\"");
		if (read && count_failure(service, https_from(call)) > FAILURES_FREE)
			delay_refusal(service, call);
		else
			refuse_login(&call);
	}
	return NULL;
}

/* Changes, one after the other */

static struct update *take_first(struct axl_service *service)
{
	struct update *update = service->first;

	service->first = update->next;
	if (!service->first)
		service->last = &service->first;
	service->waiting--;
	return update;
}

static void free_update(struct update *update)
{
	axl_rows_free(update->rows, update->count);
	axl_request_finish(&update->request);
	free(update->author);
	free(update);
}

static void finish_update(struct axl_service *service, bool done, const char *text)
{
	struct update *update = take_first(service);

	if (done)
		axl_tables_fill(service->tables, update->rows, update->count);
	if (update->call && done) {
		struct buffer out = { 0 };

		axl_write_updated(&out, &update->request, update->rows_updated);
		reply(&update->call, 200, "text/xml; charset=utf-8", &out);
	} else if (update->call) {
		reply_fault(&update->call, false, 0, text, axl_operation_name(AXL_UPDATE));
	} else {
		char *told = done ? xasprintf("Rows: %" PRIu64 "\n", update->rows_updated)
				  : xstrdup(text);

		update->answered(update->arg, update->session, done, told);
		free(told);
	}
	free_update(update);
}

/* A statement that is wrong is answered without asking anybody. */
static bool plan(struct axl_service *service, struct update *update)
{
	struct axl_fault fault;

	if (axl_tables_update(service->tables, update->request.sql, &update->rows, &update->count,
			      &update->rows_updated, &fault))
		return true;
	update->rows = NULL;
	update->count = 0;
	if (update->call) {
		reply_fault(&update->call, true, fault.code, fault.message,
			    axl_operation_name(AXL_UPDATE));
	} else {
		char *told = xasprintf("%d: %s", fault.code, fault.message);

		update->answered(update->arg, update->session, false, told);
		free(told);
	}
	free(fault.message);
	return false;
}

static void ask_control(struct axl_service *service, const struct update *update)
{
	char **words = xcalloc(update->count + 2, sizeof(*words));

	words[0] = xstrdup("rows-set");
	for (size_t i = 0; i < update->count; i++)
		words[i + 1] = xasprintf("%s %s", update->rows[i].pkid, update->rows[i].cp_id);
	service->asked = true;
	service->config.ask(service->config.arg, ++service->tags, update->author,
			    (const char *const *)words);
	for (size_t i = 0; words[i]; i++)
		free(words[i]);
	free(words);
}

static void ask_next(struct axl_service *service)
{
	while (service->first && !service->asked) {
		if (plan(service, service->first))
			ask_control(service, service->first);
		else
			free_update(take_first(service));
	}
}

static void queue_update(struct axl_service *service, struct update *update)
{
	*service->last = update;
	service->last = &update->next;
	service->waiting++;
	ask_next(service);
}

void axl_service_answer(struct axl_service *service, uint64_t tag, bool done, const char *text)
{
	if (!service->asked || tag != service->tags)
		return;
	service->asked = false;
	finish_update(service, done, text);
	ask_next(service);
}

/* Requests */

static bool knows_version(const struct axl_service *service, const char *version)
{
	for (size_t i = 0; axl_versions[i]; i++) {
		if (strcmp(axl_versions[i], version) == 0)
			return (service->versions & 1u << i) != 0;
	}
	return false;
}

static void answer_query(struct axl_service *service, struct https_call *call, const char *user,
			 struct axl_request *request)
{
	struct buffer out = { 0 };
	struct axl_rows rows;
	struct axl_fault fault;
	char what[32];

	if (axl_tables_query(service->tables, request->sql, &rows, &fault)) {
		snprintf(what, sizeof(what), "rows=%zu", rows.count);
		log_served(call, user, request, 200, what);
		axl_write_rows(&out, request, &rows);
		axl_rows_finish(&rows);
		reply(&call, 200, "text/xml; charset=utf-8", &out);
	} else {
		snprintf(what, sizeof(what), "axlcode=%d", fault.code);
		log_served(call, user, request, 500, what);
		reply_fault(&call, true, fault.code, fault.message, axl_operation_name(AXL_QUERY));
		free(fault.message);
	}
	axl_request_finish(request);
}

static void take_update(struct axl_service *service, struct https_call *call, const char *user,
			struct axl_request *request)
{
	struct update *update;

	if (service->waiting >= AXL_WAITING_MAX) {
		log_served(call, user, request, 503, "why=\"too many changes wait\"");
		https_reply(&call, 503, "text/plain; charset=utf-8", NULL,
			    slice_of("Too many changes wait to be stored: ask again.\n"));
		axl_request_finish(request);
		return;
	}
	log_served(call, user, request, 200, "");
	update = xcalloc(1, sizeof(*update));
	update->call = call;
	update->request = *request;
	update->author = xasprintf("axl %s", user);
	queue_update(service, update);
}

static void serve_soap(struct axl_service *service, struct https_call *call, const char *user)
{
	struct axl_request request;
	const char *why;
	bool read = axl_request_read(https_body(call), &request, &why);

	if (*request.version && !knows_version(service, request.version)) {
		log_served(call, user, &request, SCHEMA_VERSION_STATUS, "");
		axl_request_finish(&request);
		https_reply(&call, SCHEMA_VERSION_STATUS, "text/plain; charset=utf-8", NULL,
			    slice_of("This schema version is not supported.\n"));
	} else if (!read) {
		log_served(call, user, NULL, 500, why);
		reply_fault(&call, true, 0, why, NULL);
	} else if (request.operation == AXL_QUERY) {
		answer_query(service, call, user, &request);
	} else {
		take_update(service, call, user, &request);
	}
}

static void on_request(void *arg, struct https_call *call)
{
	struct axl_service *service = arg;
	const char *path = https_path(call);
	const struct user *user;

	if (strcmp(path, "/axl") != 0 && strcmp(path, "/axl/") != 0) {
		https_reply(&call, 404, "text/plain; charset=utf-8", NULL,
			    slice_of("The AXL service is at /axl/.\n"));
		return;
	}
	if (strcmp(https_method(call), "other") == 0) {
		static const char *const allow[] = { "Allow", "GET, POST", NULL };

		https_reply(&call, 405, "text/plain; charset=utf-8", allow,
			    slice_of("GET and POST are what is served here.\n"));
		return;
	}
	user = admit(service, call);
	if (!user)
		return;
	if (strcmp(https_method(call), "POST") == 0) {
		serve_soap(service, call, user->name);
	} else {
		log_served(call, user->name, NULL, 200, "");
		https_reply(&call, 200, "text/plain; charset=utf-8", NULL,
			    slice_of("The AXL Web Service is working and accepting requests.\n"));
	}
}

/* Life and settings */

struct axl_service *axl_service_create(const struct axl_service_config *config)
{
	struct axl_service *service = xcalloc(1, sizeof(*service));

	service->config = *config;
	service->tables = axl_tables_create();
	service->last = &service->first;
	service->https = https_server_create(&(struct https_server_config){
		.loop = config->loop,
		.body_bytes = SOAP_BYTES,
		.timeout_s = TIMEOUT_S,
		.connections_max = CONNECTIONS_MAX,
		.connections_per_address = CONNECTIONS_PER_ADDRESS,
		.request = on_request,
		.arg = service,
	});
	return service;
}

static void drop_users(struct axl_service *service)
{
	for (size_t i = 0; i < service->users_count; i++) {
		OPENSSL_cleanse(service->users[i].password, strlen(service->users[i].password));
		free(service->users[i].password);
		free(service->users[i].name);
	}
	free(service->users);
	service->users = NULL;
	service->users_count = 0;
}

void axl_service_destroy(struct axl_service **service_ref)
{
	struct axl_service *service = *service_ref;

	if (!service)
		return;
	*service_ref = NULL;
	while (service->first)
		finish_update(service, false, "the node stops");
	while (service->delayed)
		drop_delayed(service->delayed);
	https_server_destroy(&service->https);
	axl_tables_destroy(&service->tables);
	drop_users(service);
	free(service);
}

void axl_service_listen(struct axl_service *service, int fd)
{
	https_server_listen(service->https, fd);
}

static char *text_of(struct slice text)
{
	return xstrndup(text.data, text.len);
}

static void read_users(struct axl_service *service, const struct snapshot *snapshot)
{
	struct snapshot_record r;

	drop_users(service);
	for (size_t place = 0; snapshot_each(snapshot, "axl.users", &place, &r);) {
		struct user *user;

		service->users = xrealloc(service->users,
					  (service->users_count + 1) * sizeof(*service->users));
		user = &service->users[service->users_count++];
		*user = (struct user){ text_of(r.fields[1]), text_of(r.fields[2]),
				       slice_is(r.fields[3], "axl") };
	}
}

static void read_versions(struct axl_service *service, const struct snapshot *snapshot)
{
	struct snapshot_record r;

	service->versions = 0;
	for (size_t place = 0; snapshot_each(snapshot, "axl.versions", &place, &r);) {
		for (size_t i = 0; axl_versions[i]; i++) {
			if (slice_is(r.fields[1], axl_versions[i]))
				service->versions |= 1u << i;
		}
	}
	if (!service->versions)
		service->versions = ~0u;
}

static void read_table(struct axl_service *service, const struct snapshot *snapshot)
{
	struct axl_row *rows = NULL;
	struct snapshot_record r;
	size_t count = 0;

	for (size_t place = 0; snapshot_each(snapshot, "xmpps2snodes", &place, &r);) {
		rows = xrealloc(rows, (count + 1) * sizeof(*rows));
		rows[count++] = (struct axl_row){ text_of(r.fields[1]), text_of(r.fields[2]) };
	}
	axl_tables_fill(service->tables, rows, count);
	axl_rows_free(rows, count);
}

bool axl_service_apply(struct axl_service *service, const struct snapshot *snapshot,
		       const char **why)
{
	struct slice certificate = snapshot_text(snapshot, "axl.certificate");
	struct tls *tls =
		tls_create_https(certificate, snapshot_text(snapshot, "axl.private_key"), why);

	if (!tls)
		return false;
	https_server_use(service->https, &tls);
	read_users(service, snapshot);
	read_versions(service, snapshot);
	if (!service->asked) /* else the answer that is on its way brings the newest */
		read_table(service, snapshot);
	return true;
}

/* People */

static char *table_text(const struct axl_rows *rows)
{
	struct buffer out = { 0 };

	for (size_t line = 0; line < rows->count + 2; line++) {
		for (size_t c = 0; c < rows->columns; c++) {
			size_t width = strlen(rows->names[c]);
			const char *cell = "";

			for (size_t r = 0; r < rows->count; r++) {
				const char *text = rows->cells[r * rows->columns + c];

				if (text && strlen(text) > width)
					width = strlen(text);
			}
			if (line == 0)
				cell = rows->names[c];
			else if (line > 1)
				cell = rows->cells[(line - 2) * rows->columns + c];
			if (c)
				buffer_append_text(&out, " ");
			for (size_t i = 0; line == 1 && i < width; i++)
				buffer_append_text(&out, "=");
			if (line != 1)
				buffer_printf(&out, "%-*s", c + 1 < rows->columns ? (int)width : 0,
					      cell ? cell : "");
		}
		buffer_append_text(&out, "\n");
	}
	return buffer_take_text(&out);
}

static void run_query(struct axl_service *service, const char *sql, uint64_t session,
		      axl_sql_fn *answered, void *arg)
{
	struct axl_rows rows;
	struct axl_fault fault;
	bool done = axl_tables_query(service->tables, sql, &rows, &fault);
	char *text = done ? table_text(&rows) : xasprintf("%d: %s", fault.code, fault.message);

	if (done)
		axl_rows_finish(&rows);
	else
		free(fault.message);
	answered(arg, session, done, text);
	free(text);
}

void axl_service_run(struct axl_service *service, const char *author, const char *sql,
		     uint64_t session, axl_sql_fn *answered, void *arg)
{
	struct update *update;

	if (!sql_changes(sql)) {
		run_query(service, sql, session, answered, arg);
		return;
	}
	update = xcalloc(1, sizeof(*update));
	update->request = (struct axl_request){ .operation = AXL_UPDATE, .sql = xstrdup(sql) };
	update->author = xstrdup(author);
	update->session = session;
	update->answered = answered;
	update->arg = arg;
	queue_update(service, update);
}
