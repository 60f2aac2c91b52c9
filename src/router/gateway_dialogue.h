/*
 * For tests: whole gateways on one loop over loopback TCP: an edge and a core with a real link
 * between them, and a home node in some tests, a scripted server with users (XEP-0114), a scripted
 * foreign server, and a scripted resolver.
 */
#ifndef ROUTER_GATEWAY_DIALOGUE_H
#define ROUTER_GATEWAY_DIALOGUE_H

#include "router/gateway.h"

#include "base/alloc.h"
#include "ipc/channel.h"
#include "net/conn.h"
#include "net/dns_wire.h"
#include "net/messenger.h"
#include "store/identity.h"
#include "tables/events.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define READ_BYTES 4096
#define DEADLINE_MS 10000
#define TOKENS_MAX 4096

#define DB "xmlns:db='jabber:server:dialback'"
#define STREAMS "xmlns:stream='http://etherx.jabber.org/streams'"

static struct loop *loop;

/* One connection of a scripted server: what it was sent, cut into elements. */
struct talk {
	struct script *script;
	struct conn *conn;
	struct talk *next;
	struct buffer got;
	size_t cut; /* of `got`, cut so far */
	bool secured, ended, dialled;
	char room[READ_BYTES];
};

/* A scripted server. `on` answers an element; all elements are kept, in order. */
struct script {
	void (*on)(struct talk *talk, const char *element);
	struct listener *listener;
	int fd;
	uint16_t port;
	struct talk *talks; /* the newest first */
	char *elements[TOKENS_MAX];
	size_t count;
};

static struct script users, world;

/* How the scripted servers behave. */
static struct {
	bool no_features;    /* world: keeps silent after its header */
	bool no_result;	     /* world: db:result stays without answer */
	bool result_error;   /* world: db:result gets an error */
	bool no_verify;	     /* world: db:verify stays without answer */
	bool keeps_stream;   /* world: our footer stays without answer */
	bool no_acks;	     /* users: pings stay without answer */
	bool module;	     /* users: speak urn:sallyport:attach:1 */
	unsigned module_had; /* of the instance it was told last */
	char module_peer[64];
} manner;

/* Listening and cutting */

static inline int listen_on(in_addr_t where, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(where) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static inline void say(struct talk *talk, const char *text)
{
	if (!talk->conn)
		return;
	buffer_append_text(conn_out(talk->conn), text);
	conn_flush(talk->conn);
}

__attribute__((format(printf, 2, 3))) static inline void sayf(struct talk *talk, const char *format,
							      ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(talk, text);
}

/* The value of an attribute; "" if there is none. */
static inline const char *attr(const char *element, const char *name)
{
	static char values[4][512];
	static unsigned turn;
	char *value = values[turn++ % 4], pattern[64];
	const char *start;

	snprintf(pattern, sizeof(pattern), " %s='", name);
	start = strstr(element, pattern);
	value[0] = '\0';
	if (start)
		snprintf(value, 512, "%.*s", (int)strcspn(start + strlen(pattern), "'"),
			 start + strlen(pattern));
	return value;
}

/* The length of the first whole element (or header, or footer) in the text; 0: not there yet. */
static inline size_t element_len(const char *text)
{
	const char *open = strchr(text, '>');
	char end[64];
	size_t name;

	if (!open)
		return 0;
	if (strncmp(text, "<?", 2) == 0 || strncmp(text, "<stream:stream", 14) == 0 ||
	    text[1] == '/' || open[-1] == '/')
		return (size_t)(open - text) + 1;
	name = strcspn(text + 1, " >/");
	snprintf(end, sizeof(end), "</%.*s>", (int)name, text + 1);
	open = strstr(text, end);
	return open ? (size_t)(open - text) + strlen(end) : 0;
}

static inline void cut(struct talk *talk)
{
	for (;;) {
		const char *text;
		char *element;
		size_t len;

		buffer_reserve(&talk->got, 1);
		buffer_data(&talk->got)[buffer_len(&talk->got)] = '\0';
		text = buffer_data(&talk->got) + talk->cut;
		len = *text ? element_len(text) : 0;
		if (!len)
			return;
		element = xstrndup(text, len);
		talk->cut += len;
		assert_true(talk->script->count < TOKENS_MAX);
		talk->script->elements[talk->script->count++] = element;
		talk->script->on(talk, element);
	}
}

static inline char *on_room(void *owner, size_t *len)
{
	struct talk *talk = owner;

	*len = sizeof(talk->room);
	return talk->room;
}

static inline void on_filled(void *owner, size_t len)
{
	struct talk *talk = owner;

	buffer_append(&talk->got, talk->room, len);
	cut(talk);
}

static inline void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct talk *talk = owner;

	talk->ended = true;
	conn_destroy(&talk->conn);
}

static inline void on_connected(void *owner)
{
}

static const struct conn_handler handler = {
	.connected = on_connected, .room = on_room, .filled = on_filled, .ended = on_ended
};

static inline struct talk *add_talk(struct script *script)
{
	struct talk *talk = xcalloc(1, sizeof(*talk));

	talk->script = script;
	talk->next = script->talks;
	script->talks = talk;
	return talk;
}

static inline void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	struct talk *talk = add_talk(owner);

	talk->conn = conn_accept(loop, fd, &handler, talk);
}

static inline struct talk *dial(struct script *script, uint16_t port)
{
	struct talk *talk = add_talk(script);
	struct conn_address to;

	assert_true(conn_address_parse(&to, "127.0.0.1", port));
	talk->dialled = true;
	talk->conn = conn_dial(loop, &to, 1000, &handler, talk);
	return talk;
}

static inline void script_begin(struct script *script, void (*on)(struct talk *, const char *))
{
	*script = (struct script){ .on = on };
	script->fd = listen_on(INADDR_LOOPBACK, &script->port);
	script->listener = listener_create(loop, script->fd, on_accepted, script);
}

static inline void script_end(struct script *script)
{
	listener_destroy(&script->listener);
	if (script->fd >= 0)
		close(script->fd);
	while (script->talks) {
		struct talk *talk = script->talks;

		script->talks = talk->next;
		conn_destroy(&talk->conn);
		buffer_finish(&talk->got);
		free(talk);
	}
	for (size_t i = 0; i < script->count; i++)
		free(script->elements[i]);
}

/* How many elements have all of the texts (NULL: any). */
static inline size_t heard(const struct script *script, const char *a, const char *b)
{
	size_t count = 0;

	for (size_t i = 0; i < script->count; i++)
		count += strstr(script->elements[i], a) && (!b || strstr(script->elements[i], b));
	return count;
}

static inline bool starts(const char *element, const char *with)
{
	return strncmp(element, with, strlen(with)) == 0;
}

/* The server with the users: home.example, whose component is gw.home.example. */

static inline void users_hello(struct talk *talk, const char *element)
{
	if (strcmp(attr(element, "instance"), manner.module_peer) != 0)
		manner.module_had = 0;
	snprintf(manner.module_peer, sizeof(manner.module_peer), "%s", attr(element, "instance"));
}

static inline void users_on(struct talk *talk, const char *element)
{
	if (starts(element, "<stream:stream"))
		say(talk, "<stream:stream xmlns='jabber:component:accept' " STREAMS
			  " id='s1' from='gw.home.example'>");
	else if (starts(element, "<handshake") && manner.module)
		sayf(talk,
		     "<handshake/><hello xmlns='urn:sallyport:attach:1' "
		     "instance='0123456789abcdef0123456789abcdef' peer='%s' had='%u' s2s='no'/>",
		     manner.module_peer, manner.module_had);
	else if (starts(element, "<handshake"))
		say(talk, "<handshake/>");
	else if (starts(element, "<a:hello"))
		users_hello(talk, element);
	else if (starts(element, "<a:s ") &&
		 strtoul(attr(element, "n"), NULL, 10) == manner.module_had + 1)
		manner.module_had++;
	else if (starts(element, "<a:r") && !manner.no_acks)
		sayf(talk, "<had xmlns='urn:sallyport:attach:1' n='%u'/>", manner.module_had);
	else if (starts(element, "<iq ") && strstr(element, "urn:xmpp:ping") && !manner.no_acks)
		sayf(talk, "<iq type='result' from='%s' to='%s' id='%s'/>", attr(element, "to"),
		     attr(element, "from"), attr(element, "id"));
	else if (starts(element, "</stream:stream"))
		say(talk, "</stream:stream>");
}

/* The foreign server: far.example, and whatever else is asked of it. */

static inline void world_on(struct talk *talk, const char *element)
{
	const char *from = attr(element, "from"), *to = attr(element, "to");

	if (starts(element, "<stream:stream") && !talk->dialled) {
		sayf(talk,
		     "<stream:stream xmlns='jabber:server' " STREAMS " " DB
		     " id='w1' version='1.0' from='%s' to='%s'>",
		     to, from);
		if (!manner.no_features)
			say(talk, "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/>"
				  "</stream:features>");
	} else if (starts(element, "<db:result") && !talk->dialled && manner.result_error) {
		sayf(talk,
		     "<db:result from='%s' to='%s' type='error'><error type='cancel'>"
		     "<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
		     "</db:result>",
		     to, from);
	} else if (starts(element, "<db:result") && !talk->dialled && !manner.no_result) {
		sayf(talk, "<db:result from='%s' to='%s' type='valid'/>", to, from);
	} else if (starts(element, "<db:verify") && !manner.no_verify) {
		sayf(talk, "<db:verify from='%s' to='%s' id='%s' type='valid'/>", to, from,
		     attr(element, "id"));
	} else if (starts(element, "</stream:stream") && !manner.keeps_stream) {
		say(talk, "</stream:stream>");
	}
}

static inline void world_sends_header(struct talk *talk)
{
	say(talk, "<stream:stream xmlns='jabber:server' " STREAMS " " DB
		  " version='1.0' from='far.example' to='home.example'>"
		  "<db:result from='far.example' to='home.example'>key</db:result>");
}

/* Nodes */

static char *edge_certificate, *edge_key, *core_certificate, *core_key;
static char *home_certificate, *home_key;
static char edge_pin[IDENTITY_PIN_DIGITS + 1], core_pin[IDENTITY_PIN_DIGITS + 1];
static char home_pin[IDENTITY_PIN_DIGITS + 1];

struct node {
	bool is_edge, is_home;
	struct gateway *gateway;
	int link_fd, s2s_fd;
	uint16_t link_port, s2s_port;
	struct buffer bytes; /* of the snapshot in force */
	struct snapshot *snapshot;
};
static struct node edge, core, home;

/* The settings of both, as a test has them. */
static struct {
	bool off;
	const char *security;
	bool uses_dns, without_link, without_attachment, dead_route, second_route;
	const char *secret;
	int queue_seconds, connections;
	int64_t stanza_log_until; /* log.stanzas of far.example */
	bool debugs;		  /* log.levels */
	bool with_home;
	int patience_s;			/* core: limits.link_queue_seconds */
	const char *apply;		/* home: router.apply */
	const char *cp_id;		/* home: the one row of its table */
	const char *told, *told_secret; /* core: whether the edge said that it is enabled */
	const char *mode;		/* federation.privacy_mode */
} set;

static inline void add(struct buffer *out, const char *const *fields)
{
	struct snapshot_record record = { 0 };

	while (fields[record.count]) {
		record.fields[record.count] = slice_of(fields[record.count]);
		record.count++;
	}
	snapshot_add(out, &record);
}
#define ADD(out, ...) add(out, (const char *const[]){ __VA_ARGS__, NULL })

static inline void write_home(struct buffer *out)
{
	char port[16];

	snapshot_begin(out, 1, 1);
	ADD(out, "node.name", "home-a");
	ADD(out, "node.role", "home");
	ADD(out, "link.certificate", home_certificate);
	ADD(out, "link.private_key", home_key);
	ADD(out, "federation.privacy_mode", "off");
	ADD(out, "domains", "home.example", "on", "-");
	ADD(out, "nodes", "core-a", "core", "-", core_pin);
	ADD(out, "router.apply", set.apply ? set.apply : "live");
	if (set.cp_id)
		ADD(out, "xmpps2snodes", "1", set.cp_id);
	snprintf(port, sizeof(port), "%u", users.port);
	ADD(out, "attachments", "users", "prosody", "127.0.0.1", port, "gw.home.example", "s",
	    "home.example");
}

/* What a core has to say to a home node, and knows of its edge. */
static inline void write_core_with_home(struct buffer *out)
{
	char address[32];

	snprintf(address, sizeof(address), "127.0.0.1:%u", home.link_port);
	ADD(out, "nodes", "home-a", "home", address, home_pin);
	if (set.told)
		ADD(out, "edges", "edge-a", "1", set.told, "abc");
	if (set.told_secret) /* of one that comes first, and is not linked */
		ADD(out, "edges", "edge-0", "1", "on", set.told_secret);
	if (set.patience_s)
		snapshot_add_int(out, "limits.link_queue_seconds", set.patience_s);
}

static inline void write_settings(struct node *node, struct buffer *out)
{
	char port[16], address[32];

	if (node->is_home) {
		write_home(out);
		return;
	}
	snapshot_begin(out, 1, 1);
	ADD(out, "node.name", node->is_edge ? "edge-a" : "core-a");
	ADD(out, "node.role", node->is_edge ? "edge" : "core");
	ADD(out, "link.certificate", node->is_edge ? edge_certificate : core_certificate);
	ADD(out, "link.private_key", node->is_edge ? edge_key : core_key);
	ADD(out, "federation.enabled", set.off ? "off" : "on");
	ADD(out, "federation.security_mode", set.security ? set.security : "no-tls");
	ADD(out, "federation.privacy_mode", set.mode ? set.mode : "off");
	ADD(out, "federation.dialback_secret", "a secret of some length");
	ADD(out, "dial.allowed_networks", "127.0.0.0/8");
	ADD(out, "domains", "home.example", "on",
	    node->is_edge   ? "core-a"
	    : set.with_home ? "home-a"
			    : "-");
	snprintf(port, sizeof(port), "%u", world.port);
	if (!set.uses_dns) {
		ADD(out, "federation.use_static_routes", "on");
		if (set.dead_route)
			ADD(out, "federation.static_routes", "far.example", "127.0.0.1", "1", "1");
		ADD(out, "federation.static_routes", "far.example", "127.0.0.1", port, "2");
		if (set.second_route)
			ADD(out, "federation.static_routes", "far.example", "127.0.0.1", port, "3");
	}
	if (set.queue_seconds)
		snapshot_add_int(out, "limits.queue_seconds", set.queue_seconds);
	if (set.connections)
		snapshot_add_int(out, "limits.connections", set.connections);
	if (set.debugs)
		ADD(out, "log.levels", "network.dns", "debug");
	if (set.stanza_log_until) {
		snprintf(address, sizeof(address), "%lld", (long long)set.stanza_log_until);
		ADD(out, "log.stanzas", "far.example", address);
	}
	snapshot_add_int(out, "timeouts.shutdown", 1);
	if (node->is_edge) {
		if (!set.without_link)
			ADD(out, "nodes", "core-a", "core", "-", core_pin);
		return;
	}
	if (set.told_secret)
		ADD(out, "nodes", "edge-0", "edge", "127.0.0.1:1", home_pin);
	snprintf(address, sizeof(address), "127.0.0.1:%u", edge.link_port);
	if (!set.without_link)
		ADD(out, "nodes", "edge-a", "edge", address, edge_pin);
	if (set.with_home) {
		write_core_with_home(out);
		return;
	}
	snprintf(port, sizeof(port), "%u", users.port);
	if (!set.without_attachment)
		ADD(out, "attachments", "users", "prosody", "127.0.0.1", port, "gw.home.example",
		    set.secret ? set.secret : "s", "home.example");
}

static inline void make_snapshot(struct node *node)
{
	const char *why = NULL;

	snapshot_destroy(&node->snapshot);
	buffer_finish(&node->bytes);
	write_settings(node, &node->bytes);
	node->snapshot = snapshot_read(
		(struct slice){ buffer_data(&node->bytes), buffer_len(&node->bytes) }, &why);
	assert_non_null(node->snapshot);
}

/* The resolver: how each question is answered; silent while `holds`. */
static struct {
	struct messenger *messenger;
	bool holds;
	uint16_t srv_port;
	size_t asked;
} resolver;

static inline void on_query(void *arg, struct message *message)
{
	struct dns_question question;
	struct srv_record srv[] = { { 1, 2, resolver.srv_port, "host.example" } };
	struct address loopback = { .bytes = { 127, 0, 0, 1 } };
	struct dns_answer answer;
	struct buffer body = { 0 };

	assert_true(dns_wire_get_query(message->body, &question));
	resolver.asked++;
	if (resolver.holds)
		return;
	answer = (struct dns_answer){ .type = question.type, .status = DNS_FOUND, .count = 1 };
	answer.srv = srv;
	answer.addresses = &loopback;
	if (question.type == DNS_AAAA)
		answer = (struct dns_answer){ .type = DNS_AAAA, .status = DNS_EMPTY };
	dns_wire_put_answer(&body, &answer);
	messenger_send(resolver.messenger, MESSAGE_ANSWER, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static inline void on_gone(void *arg)
{
	messenger_destroy(&resolver.messenger);
}

static const struct messenger_handler resolver_handler = { on_query, on_gone };

static inline void node_begin(struct node *node)
{
	struct startup startup = { 0 };
	const char *why = NULL;

	make_snapshot(node);
	startup.snapshot = node->snapshot;
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		startup.peers[i] = -1;
	if (node->is_edge) {
		int fds[2];

		assert_true(channel_pair(fds));
		messenger_destroy(&resolver.messenger);
		resolver.messenger = messenger_create(loop, fds[1], PROCESS_RESOLVER,
						      PROCESS_TRAFFIC, &resolver_handler, NULL);
		startup.peers[PROCESS_RESOLVER] = fds[0];
		strcpy(startup.listeners[0].name, "s2s");
		startup.listeners[0].fd = node->s2s_fd;
		strcpy(startup.listeners[1].name, "link");
		startup.listeners[1].fd = node->link_fd;
		startup.listeners_count = 2;
	} else if (node->is_home) {
		strcpy(startup.listeners[0].name, "link");
		startup.listeners[0].fd = node->link_fd;
		startup.listeners_count = 1;
	}
	node->gateway = gateway_create(loop, &startup, &why);
	assert_non_null(node->gateway);
}

static inline void apply(struct node *node)
{
	struct buffer before = node->bytes;
	struct snapshot *old = node->snapshot;
	const char *why = NULL;

	node->bytes = (struct buffer){ 0 };
	node->snapshot = NULL;
	make_snapshot(node);
	assert_true(gateway_apply(node->gateway, node->snapshot, &why));
	snapshot_destroy(&old);
	buffer_finish(&before);
}

/* The last answer to a command. */
static struct {
	unsigned count;
	bool done;
	char *text;
	size_t len;
} answered;

static inline void on_answer(void *arg, uint64_t tag, bool done, struct slice text)
{
	free(answered.text);
	answered.count++;
	answered.done = done;
	answered.text = xstrndup(text.data, text.len);
	answered.len = text.len;
}

static inline void ask(struct node *node, const char *verb, const char *first, const char *second)
{
	struct slice words[] = { slice_of(verb), slice_of(first), slice_of(second) };

	gateway_command(node->gateway, words, second ? 3 : first ? 2 : 1, on_answer, NULL, 1);
}

/* The records of the last answer, a line each. */
static inline const char *records(void)
{
	static char *text;
	struct buffer out = { 0 };
	struct snapshot_record r;
	const char *why;
	struct snapshot *told = snapshot_read((struct slice){ answered.text, answered.len }, &why);

	assert_non_null(told);
	for (size_t place = 0; snapshot_next(told, &place, &r);) {
		for (size_t i = 0; i < r.count; i++)
			buffer_printf(&out, "%s%.*s", i ? "|" : "\n", SLICE_ARGS(r.fields[i]));
	}
	snapshot_destroy(&told);
	free(text);
	text = buffer_take_text(&out);
	return text;
}

/* Whether these are in the text, one behind the other. */
static inline bool in_order(const char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		const char *at = strstr(text, *parts);

		if (!at) {
			fprintf(stderr, "no '%s' in: %s\n", *parts, text);
			return false;
		}
		text = at + strlen(*parts);
	}
	return true;
}
#define IN_ORDER(text, ...) assert_true(in_order(text, (const char *const[]){ __VA_ARGS__, NULL }))

static inline void command(struct node *node, const char *verb, const char *word)
{
	unsigned count = answered.count;

	ask(node, verb, word, NULL);
	assert_int_equal(answered.count, count + 1);
	assert_true(answered.done);
}

/* Whether a record of `sallyport status` has these fields at these places; "" matches any. */
static inline bool shows(struct node *node, const char *const *fields)
{
	struct buffer out = { 0 };
	struct snapshot_record r;
	struct snapshot *status;
	const char *why;
	size_t place = 0;
	bool found = false;

	gateway_status(node->gateway, false, &out);
	status = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(status);
	while (!found && snapshot_next(status, &place, &r)) {
		found = true;
		for (size_t i = 0; fields[i] && found; i++)
			found = i < r.count && (!fields[i][0] || slice_is(r.fields[i], fields[i]));
	}
	snapshot_destroy(&status);
	buffer_finish(&out);
	return found;
}
#define SHOWS(node, ...) shows(node, (const char *const[]){ __VA_ARGS__, NULL })

/* The xcoder of the first stream in that direction. */
static inline bool find_stream(struct node *node, const char *direction, char xcoder[32])
{
	struct buffer out = { 0 };
	struct snapshot_record r;
	struct snapshot *status;
	const char *why;
	size_t place = 0;
	bool found = false;

	gateway_status(node->gateway, false, &out);
	status = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	while (!found && snapshot_each(status, "stream", &place, &r)) {
		found = slice_is(r.fields[1], direction);
		snprintf(xcoder, 32, "%.*s", SLICE_ARGS(r.fields[2]));
	}
	snapshot_destroy(&status);
	buffer_finish(&out);
	return found;
}

/* Running */

typedef bool until_fn(void);

static struct {
	until_fn *until;
	struct timer timer;
	uint64_t by_ms;
	bool met;
} run;

static inline void on_look(struct timer *timer)
{
	run.met = run.until && run.until();
	if (run.met || loop_now_ms(loop) >= run.by_ms)
		loop_stop(loop);
	else
		loop_arm(loop, &run.timer, 2);
}

static inline bool runs_until(until_fn *until, uint64_t within_ms)
{
	run.until = until;
	run.timer.fire = on_look;
	run.by_ms = loop_now_ms(loop) + within_ms;
	run.met = false;
	loop_arm(loop, &run.timer, 0);
	loop_run(loop);
	return run.met;
}
/* Waits for what comes; a test that waits in vain has failed. */
#define AWAIT(until) assert_true(runs_until(until, DEADLINE_MS))
/* Waits whether what must not come does. */
#define PASSES(until, ms) assert_false(runs_until(until, ms))

static inline struct talk *users_talk(void)
{
	return users.talks;
}

static inline void users_send(unsigned number)
{
	sayf(users_talk(),
	     "<message from='a@home.example' to='b@far.example' id='u%u'><body>x</body></message>",
	     number);
}

static inline void world_send(struct talk *talk, unsigned number)
{
	sayf(talk,
	     "<message from='b@far.example' to='a@home.example' id='w%u'><body>x</body></message>",
	     number);
}

static inline bool is_linked(void)
{
	return SHOWS(&core, "link", "edge-a", "edge", "open") &&
	       SHOWS(&edge, "link", "core-a", "core", "open");
}

static inline bool is_attached(void)
{
	return SHOWS(&core, "attachment", "users", "ready");
}

static inline bool is_up(void)
{
	return is_linked() && is_attached();
}

static inline bool world_has_one(void)
{
	return heard(&world, "<message ", "from='a@home.example'") > 0;
}

static inline bool world_was_asked_to_verify(void)
{
	return heard(&world, "<db:verify ", NULL) > 0;
}

static inline bool world_is_proven(void)
{
	return heard(&world, "<db:result ", "type='valid'") > 0;
}

static inline bool world_got_result(void)
{
	return heard(&world, "<db:result ", "from='home.example'") > 0;
}

static inline bool users_have_one(void)
{
	return heard(&users, "<message ", "from='b@far.example'") > 0;
}

static inline bool users_have_an_error(void)
{
	return heard(&users, "<message ", "type='error'") > 0;
}

static inline bool nothing_is_open(void)
{
	return SHOWS(&core, "counter", "stanzas.open", "0") &&
	       SHOWS(&edge, "counter", "stanzas.open", "0");
}

static inline struct talk *world_comes(void)
{
	struct talk *talk = dial(&world, edge.s2s_port);

	world_sends_header(talk);
	AWAIT(world_is_proven);
	return talk;
}

static inline int begin(void **state)
{
	memset(&manner, 0, sizeof(manner));
	memset(&set, 0, sizeof(set));
	memset(&resolver, 0, sizeof(resolver));
	loop = loop_create();
	script_begin(&users, users_on);
	script_begin(&world, world_on);
	edge = (struct node){ .is_edge = true };
	core = (struct node){ .is_edge = false };
	home = (struct node){ .is_home = true };
	home.link_fd = listen_on(INADDR_LOOPBACK, &home.link_port);
	edge.link_fd = listen_on(INADDR_LOOPBACK, &edge.link_port);
	edge.s2s_fd = listen_on(INADDR_LOOPBACK, &edge.s2s_port);
	return 0;
}

static inline void start(void)
{
	node_begin(&edge);
	node_begin(&core);
	AWAIT(is_up);
}

static inline int end(void **state)
{
	gateway_destroy(&home.gateway);
	gateway_destroy(&core.gateway);
	gateway_destroy(&edge.gateway);
	messenger_destroy(&resolver.messenger);
	snapshot_destroy(&home.snapshot);
	buffer_finish(&home.bytes);
	close(home.link_fd);
	snapshot_destroy(&core.snapshot);
	snapshot_destroy(&edge.snapshot);
	buffer_finish(&core.bytes);
	buffer_finish(&edge.bytes);
	close(edge.link_fd);
	close(edge.s2s_fd);
	script_end(&users);
	script_end(&world);
	loop_disarm(loop, &run.timer);
	loop_destroy(&loop);
	return 0;
}

/* The numbers of the messages whose id begins with `letter`, in order, each once. */
static inline void assert_in_order(const struct script *script, const char *letter, unsigned count)
{
	char pattern[16];
	unsigned next = 1;

	snprintf(pattern, sizeof(pattern), " id='%s", letter);
	for (size_t i = 0; i < script->count; i++) {
		const char *id = strstr(script->elements[i], pattern);

		if (!starts(script->elements[i], "<message") || !id)
			continue;
		assert_int_equal(strtoul(id + strlen(pattern), NULL, 10), next);
		next++;
	}
	assert_int_equal(next, count + 1);
}

static unsigned wanted;

static inline bool world_has_all(void)
{
	return heard(&world, "<message ", "from='a@home.example'") >= wanted;
}

static inline bool users_have_all(void)
{
	return heard(&users, "<message ", "from='b@far.example'") >= wanted;
}

static inline bool world_heard_a_footer(void)
{
	return heard(&world, "</stream:stream>", NULL) > 0;
}

static inline bool world_heard_a_header(void)
{
	return heard(&world, "<stream:stream", NULL) > 0;
}

static inline int make_identities(void **state)
{
	return identity_make("edge-a", &edge_certificate, &edge_key) &&
			       identity_make("home-a", &home_certificate, &home_key) &&
			       identity_pin(home_certificate, home_pin) &&
			       identity_make("core-a", &core_certificate, &core_key) &&
			       identity_pin(edge_certificate, edge_pin) &&
			       identity_pin(core_certificate, core_pin)
		       ? 0
		       : -1;
}

static inline int drop_identities(void **state)
{
	free(edge_certificate);
	free(edge_key);
	free(core_certificate);
	free(core_key);
	free(home_certificate);
	free(home_key);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
