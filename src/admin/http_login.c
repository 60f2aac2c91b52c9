/* Who is who at the admin port: log-in, one-time links, passwords, log-out. */
#include "admin/http_internal.h"

#include "base/alloc.h"
#include "net/http_text.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WRONG "the name or the password is wrong"
#define STOPPING "the node is stopping"
#define IN_LINE "others are logging in just now: try again"
#define FIRST_ACCOUNT "admin" /* whom `admin link` means if nobody is named */

/* What somebody wants, and what it waits for. */
struct http_wish {
	struct http_wish *next;
	struct http_api *api;
	uint64_t tag;
	enum { WISH_LOGIN, WISH_WELCOME, WISH_PASSWORD, WISH_LINK } kind;
	struct https_call *call; /* NULL: of the desk */
	uint64_t number;	 /* of its session, or of the desk's errand */
	char name[ACCOUNT_NAME_BYTES];
	char from[SESSION_FROM_BYTES], place[SESSION_FROM_BYTES], by[VISITOR_NAME_BYTES];
	char *password; /* the new one, until it is hashed */
	char hash[ACCOUNT_HASH_BYTES];
};

static uint64_t now_ms(const struct http_api *api)
{
	return loop_now_ms(api->config.loop);
}

static struct http_wish *wish(struct http_api *api, int kind, struct https_call *call,
			      const char *name)
{
	struct http_wish *wish = xcalloc(1, sizeof(*wish));

	*wish = (struct http_wish){
		.next = api->wishes, .api = api, .tag = ++api->wish_numbers, .call = call
	};
	wish->kind = kind;
	snprintf(wish->name, sizeof(wish->name), "%s", name);
	snprintf(wish->by, sizeof(wish->by), "%s", name);
	if (call) {
		snprintf(wish->from, sizeof(wish->from), "%s", https_from(call));
		snprintf(wish->place, sizeof(wish->place), "%s", https_place(call));
	}
	api->wishes = wish;
	return wish;
}

static void wipe(char **password)
{
	if (*password)
		sodium_memzero(*password, strlen(*password));
	free(*password);
	*password = NULL;
}

static void free_wish(struct http_wish *wish)
{
	assert(!wish->call); /* it was answered */
	wipe(&wish->password);
	free(wish);
}

static void drop(struct http_wish *wish)
{
	struct http_wish **at = &wish->api->wishes;

	while (*at != wish)
		at = &(*at)->next;
	*at = wish->next;
	free_wish(wish);
}

static void refuse(struct http_wish *wish, int status, const char *why)
{
	http_refuse(&wish->call, status, why);
	drop(wish);
}

/* Who is throttled */

static void account_key(const char *name, char key[ACCOUNT_NAME_BYTES + 8])
{
	snprintf(key, ACCOUNT_NAME_BYTES + 8, "account %s", name);
}

/* `name` NULL: the address alone counts. */
static unsigned wait_s(const struct http_api *api, const char *name, const char *place)
{
	unsigned address, account = 0;
	char key[ACCOUNT_NAME_BYTES + 8];

	address = throttle_wait_s(api->throttle, place, now_ms(api));
	if (name) {
		account_key(name, key);
		account = throttle_wait_s(api->throttle, key, now_ms(api));
	}
	return address > account ? address : account;
}

/* Of its password. */
static void count_failure(struct http_wish *wish, const char *why)
{
	struct http_api *api = wish->api;
	char key[ACCOUNT_NAME_BYTES + 8];

	account_key(wish->name, key);
	throttle_fail(api->throttle, wish->place, now_ms(api));
	throttle_fail(api->throttle, key, now_ms(api));
	log_event(EVENT_ADMIN_LOGIN_FAILED, "by=\"%s\" from=\"%s\" why=\"%s\"",
		  log_text(wish->name), wish->from, why);
}

static bool is_throttled(struct http_api *api, const char *name, struct https_call **call)
{
	unsigned seconds = wait_s(api, name, https_place(*call));
	char *why;

	if (!seconds)
		return false;
	if (http_stranger_is_logged(api))
		log_event(EVENT_ADMIN_LOGIN_FAILED,
			  "by=\"%s\" from=\"%s\" why=\"too many failures, %u s\"",
			  log_text(name ? name : "-"), https_from(*call), seconds);
	why = xasprintf("too many wrong passwords: wait %u s", seconds);
	http_refuse_for(call, seconds, why);
	free(why);
	return true;
}

/* Sessions */

const struct session *http_session_of(struct http_api *api, const struct https_call *call)
{
	/* What a page asks by itself is no sign that somebody sits before it; of what a browser's
	 * event source asks, the page cannot say so. */
	bool use = !https_header(call, "X-Sallyport-Background") &&
		   strcmp(https_path(call), HTTP_LIVE) != 0;
	struct slice token;

	if (!http_cookie(https_header(call, "Cookie"), HTTP_COOKIE, &token))
		return NULL;
	return sessions_find(api->sessions, token, use, now_ms(api));
}

struct visitor http_visitor(const struct session *session, const struct https_call *call)
{
	struct visitor visitor = { .access = session->access };

	snprintf(visitor.name, sizeof(visitor.name), "%s", session->name);
	snprintf(visitor.from, sizeof(visitor.from), "%s", https_from(call));
	return visitor;
}

bool http_is_same_origin(const struct https_call *call)
{
	const char *site = https_header(call, "Sec-Fetch-Site");
	const char *origin = https_header(call, "Origin"), *host = https_header(call, "Host");
	static const char scheme[] = "https://";

	if (site && strcmp(site, "same-origin") != 0)
		return false;
	return !origin || (host && strncmp(origin, scheme, strlen(scheme)) == 0 &&
			   strcmp(origin + strlen(scheme), host) == 0);
}

bool http_has_csrf(const struct session *session, const struct https_call *call)
{
	const char *said = https_header(call, "X-Sallyport-CSRF");

	return said && strlen(said) == strlen(session->csrf) &&
	       sodium_memcmp(said, session->csrf, strlen(said)) == 0;
}

bool http_may(enum access access, const char *const *words, size_t count)
{
	size_t used;
	const struct command *command = command_find(words, count, &used);

	return command && access >= command->access;
}

static json_t *session_json(const struct session *session)
{
	return json_pack("{s:s, s:s, s:s}", "name", session->name, "access",
			 access_name(session->access), "csrf", session->csrf);
}

static void open_session(struct http_wish *wish, const struct account *account)
{
	struct http_api *api = wish->api;
	char token[SESSION_TOKEN_BYTES];
	const struct session *session =
		sessions_open(api->sessions, account, wish->from, now_ms(api), token);
	char *cookie =
		xasprintf("%s=%s; Path=/; Secure; HttpOnly; SameSite=Strict", HTTP_COOKIE, token);
	const char *const headers[] = { "Set-Cookie", cookie, NULL };

	if (*wish->hash) /* the settings with it may be on their way yet */
		sessions_expect(api->sessions, session->number, wish->hash);
	log_event(EVENT_ADMIN_LOGIN, "by=\"%s\" from=\"%s\" access=%s", session->name, wish->from,
		  access_name(session->access));
	http_reply_json(&wish->call, 200, headers, session_json(session));
	sodium_memzero(cookie, strlen(cookie));
	sodium_memzero(token, sizeof(token));
	free(cookie);
	drop(wish);
}

void http_session_reply(struct http_api *api, const struct session *session,
			struct https_call *call)
{
	json_t *json = session_json(session);

	json_object_set_new(json, "node",
			    json_pack("{s:s, s:s}", "name", api->node ? api->node : "", "role",
				      api->role ? api->role : ""));
	json_object_set_new(json, "release", json_string(api->config.release));
	json_object_set_new(json, "language", json_null());
	http_reply_json(&call, 200, NULL, json);
}

void http_logout(struct http_api *api, const struct session *session, struct https_call *call)
{
	static const char *const headers[] = {
		"Set-Cookie", HTTP_COOKIE "=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
		NULL
	};

	sessions_end(api->sessions, session->number, "logged out");
	http_reply(&call, 204, NULL, headers, (struct slice){ 0 });
}

/* What is asked */

/* The object's strings by their names, which are all that it may have. NULL: the call is answered
 * why. */
static json_t *read_body(struct https_call **call, const char *const *names, const char **values)
{
	const char *why = "";
	json_t *json = protocol_object(https_body(*call), &why);
	size_t count = 0;

	for (; json && names[count]; count++) {
		values[count] = json_string_value(json_object_get(json, names[count]));
		if (values[count])
			continue;
		json_decref(json);
		json = NULL;
		why = "a string is missing";
	}
	if (json && json_object_size(json) == count)
		return json;
	json_decref(json);
	http_refuse(call, 400, *why ? why : "it has more than it should");
	return NULL;
}

static void on_login(void *arg, bool right, const char *hash)
{
	struct http_wish *wish = arg;
	struct http_api *api = wish->api;
	const struct account *account = right ? accounts_find(api->accounts, wish->name) : NULL;
	char key[ACCOUNT_NAME_BYTES + 8];

	if (!account) {
		count_failure(wish, "wrong name or password");
		refuse(wish, 401, WRONG);
		return;
	}
	account_key(wish->name, key);
	throttle_forget(api->throttle, key);
	open_session(wish, account);
}

/* The call is answered, if there is no room. */
static void start(struct http_wish *wish, bool in_line)
{
	if (in_line)
		return;
	http_refuse_for(&wish->call, 1, IN_LINE);
	drop(wish);
}

void http_login(struct http_api *api, struct https_call *call)
{
	static const char *const names[] = { "name", "password", NULL };
	const char *values[2];
	json_t *json = read_body(&call, names, values);
	struct http_wish *login;

	if (!json)
		return;
	if (strlen(values[0]) >= ACCOUNT_NAME_BYTES || strlen(values[1]) > PASSWORD_BYTES_MAX) {
		http_refuse(&call, 400, "the name or the password is too long");
	} else if (!is_throttled(api, values[0], &call)) {
		login = wish(api, WISH_LOGIN, call, values[0]);
		start(login, accounts_check(api->accounts, values[0], values[1], on_login, login));
	}
	json_decref(json);
}

/* Passwords that are set */

static void tell_control(struct http_wish *wish, const char *verb, const char *value)
{
	const char *const words[] = { verb, wish->name, value, NULL };

	wish->api->config.ask(wish->api->config.arg, wish->tag, wish->by, words);
}

static void on_hash(void *arg, bool made, const char *hash)
{
	struct http_wish *wish = arg;

	wipe(&wish->password);
	if (!made) {
		refuse(wish, 503, "there is not the memory to hash a password");
		return;
	}
	snprintf(wish->hash, sizeof(wish->hash), "%s", hash);
	if (wish->kind == WISH_PASSWORD)
		sessions_expect(wish->api->sessions, wish->number, hash);
	tell_control(wish, "account-password", hash);
}

static void hash_password(struct http_wish *wish)
{
	start(wish, accounts_hash(wish->api->accounts, wish->password, on_hash, wish));
}

static bool is_good(const char *password, struct https_call **call)
{
	const char *flaw;
	char *why;

	if (accounts_password_is_good(password, &flaw))
		return true;
	why = xasprintf("the password %s", flaw);
	http_refuse(call, 400, why);
	free(why);
	return false;
}

/* Nobody finds a token by guessing, and it costs little to look: its line in the log is one that a
 * stranger causes. */
static void refuse_link(struct http_api *api, struct https_call *call)
{
	throttle_fail(api->throttle, https_place(call), now_ms(api));
	if (http_stranger_is_logged(api))
		log_event(EVENT_ADMIN_LOGIN_FAILED,
			  "by=\"-\" from=\"%s\" why=\"a link that is void\"", https_from(call));
	http_refuse(&call, 403,
		    "this link is void: it is good once and for a quarter of an hour, and "
		    "`sallyport admin link` on the node prints another");
}

static void use_link(struct http_api *api, const char *token, const char *password,
		     struct https_call *call)
{
	char name[ACCOUNT_NAME_BYTES];
	struct http_wish *welcome;

	if (!accounts_has_room(api->accounts)) { /* before the link is void */
		http_refuse_for(&call, 1, IN_LINE);
		return;
	}
	if (!links_take(api->links, token, now_ms(api), name)) {
		refuse_link(api, call);
		return;
	}
	log_event(EVENT_ADMIN_LINK, "account=\"%s\" from=\"%s\" state=used", name,
		  https_from(call));
	welcome = wish(api, WISH_WELCOME, call, name);
	welcome->password = xstrdup(password);
	hash_password(welcome);
}

void http_welcome(struct http_api *api, struct https_call *call)
{
	static const char *const names[] = { "token", "password", NULL };
	const char *values[2];
	json_t *json = read_body(&call, names, values);

	if (json && is_good(values[1], &call) && !is_throttled(api, NULL, &call))
		use_link(api, values[0], values[1], call);
	json_decref(json);
}

static void on_old_password(void *arg, bool right, const char *hash)
{
	struct http_wish *wish = arg;

	if (right) {
		hash_password(wish);
		return;
	}
	count_failure(wish, "wrong old password");
	refuse(wish, 403, "the old password is wrong");
}

void http_password(struct http_api *api, const struct session *session, struct https_call *call)
{
	static const char *const names[] = { "old", "new", NULL };
	const char *values[2];
	json_t *json = read_body(&call, names, values);
	struct http_wish *change;

	if (json && strlen(values[0]) > PASSWORD_BYTES_MAX) {
		http_refuse(&call, 400, "the old password is too long");
	} else if (json && is_good(values[1], &call) && !is_throttled(api, session->name, &call)) {
		change = wish(api, WISH_PASSWORD, call, session->name);
		change->number = session->number;
		change->password = xstrdup(values[1]);
		start(change, accounts_check(api->accounts, session->name, values[0],
					     on_old_password, change));
	}
	json_decref(json);
}

/* The links themselves */

static void print_link(struct http_wish *wish)
{
	struct http_api *api = wish->api;
	char token[LINK_TOKEN_BYTES];
	struct buffer text = { 0 };
	char *answer;

	links_make(api->links, wish->name, now_ms(api), token);
	for (size_t i = 0; i < api->listeners_count; i++)
		buffer_printf(&text, "https://%s/#/welcome/%s\n", api->listeners[i], token);
	buffer_printf(&text,
		      "Good once and for %d minutes, to set the password of account %s.\n"
		      "The page's certificate has the SHA-256 fingerprint\n%s\n",
		      LINK_SECONDS / 60, wish->name, api->fingerprint);
	answer = buffer_take_text(&text);
	log_event(EVENT_ADMIN_LINK, "account=\"%s\" by=\"%s\" from=\"%s\" state=made", wish->name,
		  wish->by, wish->from);
	desk_answer(api->config.desk, wish->number, REPLY_DONE, answer, NULL);
	sodium_memzero(answer, strlen(answer));
	sodium_memzero(token, sizeof(token));
	free(answer);
	drop(wish);
}

void http_admin_link(void *arg, const struct errand *errand)
{
	struct http_api *api = arg;
	const char *name = errand->count ? errand->words[0] : FIRST_ACCOUNT;
	struct http_wish *link;

	if (!api->listeners_count || !api->has_certificate) {
		desk_answer(
			api->config.desk, errand->number, REPLY_FAILED,
			"this node serves no web page: give it `listen admin { address, port }` "
			"in its sallyport.conf, and start it again",
			NULL);
		return;
	}
	if (strlen(name) >= ACCOUNT_NAME_BYTES) {
		desk_answer(api->config.desk, errand->number, REPLY_FAILED,
			    "an account's name has 63 characters at most", NULL);
		return;
	}
	link = wish(api, WISH_LINK, NULL, name);
	link->number = errand->number;
	snprintf(link->by, sizeof(link->by), "%s", errand->visitor->name);
	snprintf(link->from, sizeof(link->from), "%s", errand->visitor->from);
	if (accounts_find(api->accounts, name))
		print_link(link);
	else
		tell_control(link, "account-add", "admin");
}

/* Control's answers */

static void fail(struct http_wish *wish, const char *text)
{
	char *why;

	if (wish->kind == WISH_LINK) {
		desk_answer(wish->api->config.desk, wish->number, REPLY_FAILED, text, NULL);
		drop(wish);
		return;
	}
	why = xasprintf("the password could not be stored: %s%s", text,
			wish->kind == WISH_WELCOME ? "; the link is void now, ask for another"
						   : "");
	refuse(wish, 503, why);
	free(why);
}

static void finish_welcome(struct http_wish *wish)
{
	const struct account *account = accounts_find(wish->api->accounts, wish->name);

	if (account)
		open_session(wish, account);
	else
		refuse(wish, 403, "the account was removed meanwhile");
}

void http_login_answer(struct http_api *api, uint64_t tag, bool done, const char *text)
{
	struct http_wish *wish = api->wishes;

	while (wish && wish->tag != tag)
		wish = wish->next;
	if (!wish)
		return;
	if (!done) {
		fail(wish, text);
	} else if (wish->kind == WISH_LINK) {
		print_link(wish);
	} else if (wish->kind == WISH_WELCOME) {
		finish_welcome(wish);
	} else {
		http_reply(&wish->call, 204, NULL, NULL, (struct slice){ 0 });
		drop(wish);
	}
}

void http_login_drop(struct http_api *api)
{
	while (api->wishes) {
		struct http_wish *wish = api->wishes;

		api->wishes = wish->next;
		if (wish->call)
			http_refuse(&wish->call, 503, STOPPING);
		else
			desk_answer(api->config.desk, wish->number, REPLY_FAILED, STOPPING, NULL);
		free_wish(wish);
	}
}
