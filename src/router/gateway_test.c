/*
 * Whole gateways on one loop over loopback TCP: an edge and a core with a real link between them,
 * and a home node in some tests, a scripted server with users (XEP-0114), a scripted foreign
 * server, and a scripted resolver.
 */
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
#include <sys/mman.h>
#include <time.h>
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

static int listen_on(in_addr_t where, uint16_t *port)
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

static void say(struct talk *talk, const char *text)
{
	if (!talk->conn)
		return;
	buffer_append_text(conn_out(talk->conn), text);
	conn_flush(talk->conn);
}

__attribute__((format(printf, 2, 3))) static void sayf(struct talk *talk, const char *format, ...)
{
	char text[2048];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(talk, text);
}

/* The value of an attribute; "" if there is none. */
static const char *attr(const char *element, const char *name)
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
static size_t element_len(const char *text)
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

static void cut(struct talk *talk)
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

static char *on_room(void *owner, size_t *len)
{
	struct talk *talk = owner;

	*len = sizeof(talk->room);
	return talk->room;
}

static void on_filled(void *owner, size_t len)
{
	struct talk *talk = owner;

	buffer_append(&talk->got, talk->room, len);
	cut(talk);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct talk *talk = owner;

	talk->ended = true;
	conn_destroy(&talk->conn);
}

static void on_connected(void *owner)
{
}

static const struct conn_handler handler = {
	.connected = on_connected, .room = on_room, .filled = on_filled, .ended = on_ended
};

static struct talk *add_talk(struct script *script)
{
	struct talk *talk = xcalloc(1, sizeof(*talk));

	talk->script = script;
	talk->next = script->talks;
	script->talks = talk;
	return talk;
}

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	struct talk *talk = add_talk(owner);

	talk->conn = conn_accept(loop, fd, &handler, talk);
}

static struct talk *dial(struct script *script, uint16_t port)
{
	struct talk *talk = add_talk(script);
	struct conn_address to;

	assert_true(conn_address_parse(&to, "127.0.0.1", port));
	talk->dialled = true;
	talk->conn = conn_dial(loop, &to, 1000, &handler, talk);
	return talk;
}

static void script_begin(struct script *script, void (*on)(struct talk *, const char *))
{
	*script = (struct script){ .on = on };
	script->fd = listen_on(INADDR_LOOPBACK, &script->port);
	script->listener = listener_create(loop, script->fd, on_accepted, script);
}

static void script_end(struct script *script)
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
static size_t heard(const struct script *script, const char *a, const char *b)
{
	size_t count = 0;

	for (size_t i = 0; i < script->count; i++)
		count += strstr(script->elements[i], a) && (!b || strstr(script->elements[i], b));
	return count;
}

static bool starts(const char *element, const char *with)
{
	return strncmp(element, with, strlen(with)) == 0;
}

/* The server with the users: home.example, whose component is gw.home.example. */

static void users_hello(struct talk *talk, const char *element)
{
	if (strcmp(attr(element, "instance"), manner.module_peer) != 0)
		manner.module_had = 0;
	snprintf(manner.module_peer, sizeof(manner.module_peer), "%s", attr(element, "instance"));
}

static void users_on(struct talk *talk, const char *element)
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

static void world_on(struct talk *talk, const char *element)
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

static void world_sends_header(struct talk *talk)
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
	bool with_home;
	int patience_s;			/* core: limits.link_queue_seconds */
	const char *apply;		/* home: router.apply */
	const char *cp_id;		/* home: the one row of its table */
	const char *told, *told_secret; /* core: whether the edge said that it is enabled */
	const char *mode;		/* federation.privacy_mode */
} set;

static void add(struct buffer *out, const char *const *fields)
{
	struct snapshot_record record = { 0 };

	while (fields[record.count]) {
		record.fields[record.count] = slice_of(fields[record.count]);
		record.count++;
	}
	snapshot_add(out, &record);
}
#define ADD(out, ...) add(out, (const char *const[]){ __VA_ARGS__, NULL })

static void write_home(struct buffer *out)
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
static void write_core_with_home(struct buffer *out)
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

static void write_settings(struct node *node, struct buffer *out)
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

static void make_snapshot(struct node *node)
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

static void on_query(void *arg, struct message *message)
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

static void on_gone(void *arg)
{
	messenger_destroy(&resolver.messenger);
}

static const struct messenger_handler resolver_handler = { on_query, on_gone };

static void node_begin(struct node *node)
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

static void apply(struct node *node)
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

static void on_answer(void *arg, uint64_t tag, bool done, struct slice text)
{
	free(answered.text);
	answered.count++;
	answered.done = done;
	answered.text = xstrndup(text.data, text.len);
	answered.len = text.len;
}

static void ask(struct node *node, const char *verb, const char *first, const char *second)
{
	struct slice words[] = { slice_of(verb), slice_of(first), slice_of(second) };

	gateway_command(node->gateway, words, second ? 3 : first ? 2 : 1, on_answer, NULL, 1);
}

/* The records of the last answer, a line each. */
static const char *records(void)
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
static bool in_order(const char *text, const char *const *parts)
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

static void command(struct node *node, const char *verb, const char *word)
{
	unsigned count = answered.count;

	ask(node, verb, word, NULL);
	assert_int_equal(answered.count, count + 1);
	assert_true(answered.done);
}

/* Whether a record of `sallyport status` has these fields at these places; "" matches any. */
static bool shows(struct node *node, const char *const *fields)
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
static bool find_stream(struct node *node, const char *direction, char xcoder[32])
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

static void on_look(struct timer *timer)
{
	run.met = run.until && run.until();
	if (run.met || loop_now_ms(loop) >= run.by_ms)
		loop_stop(loop);
	else
		loop_arm(loop, &run.timer, 2);
}

static bool runs_until(until_fn *until, uint64_t within_ms)
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

static struct talk *users_talk(void)
{
	return users.talks;
}

static void users_send(unsigned number)
{
	sayf(users_talk(),
	     "<message from='a@home.example' to='b@far.example' id='u%u'><body>x</body></message>",
	     number);
}

static void world_send(struct talk *talk, unsigned number)
{
	sayf(talk,
	     "<message from='b@far.example' to='a@home.example' id='w%u'><body>x</body></message>",
	     number);
}

static bool is_linked(void)
{
	return SHOWS(&core, "link", "edge-a", "edge", "open") &&
	       SHOWS(&edge, "link", "core-a", "core", "open");
}

static bool is_attached(void)
{
	return SHOWS(&core, "attachment", "users", "ready");
}

static bool is_up(void)
{
	return is_linked() && is_attached();
}

static bool world_has_one(void)
{
	return heard(&world, "<message ", "from='a@home.example'") > 0;
}

static bool world_was_asked_to_verify(void)
{
	return heard(&world, "<db:verify ", NULL) > 0;
}

static bool world_is_proven(void)
{
	return heard(&world, "<db:result ", "type='valid'") > 0;
}

static bool world_got_result(void)
{
	return heard(&world, "<db:result ", "from='home.example'") > 0;
}

static bool users_have_one(void)
{
	return heard(&users, "<message ", "from='b@far.example'") > 0;
}

static bool users_have_an_error(void)
{
	return heard(&users, "<message ", "type='error'") > 0;
}

static bool nothing_is_open(void)
{
	return SHOWS(&core, "counter", "stanzas.open", "0") &&
	       SHOWS(&edge, "counter", "stanzas.open", "0");
}

static struct talk *world_comes(void)
{
	struct talk *talk = dial(&world, edge.s2s_port);

	world_sends_header(talk);
	AWAIT(world_is_proven);
	return talk;
}

static int begin(void **state)
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

static void start(void)
{
	node_begin(&edge);
	node_begin(&core);
	AWAIT(is_up);
}

static int end(void **state)
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
static void assert_in_order(const struct script *script, const char *letter, unsigned count)
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

static bool world_has_all(void)
{
	return heard(&world, "<message ", "from='a@home.example'") >= wanted;
}

static bool users_have_all(void)
{
	return heard(&users, "<message ", "from='b@far.example'") >= wanted;
}

/* Tests */

static void stanzas_go_both_ways(void **state)
{
	struct talk *talk;

	start();
	users_send(1);
	AWAIT(world_has_one);
	talk = world_comes();
	world_send(talk, 1);
	AWAIT(users_have_one);
	AWAIT(nothing_is_open);
}

static void a_link_reset_loses_and_doubles_nothing(void **state)
{
	struct talk *talk;

	start();
	talk = world_comes();
	wanted = 300;
	for (unsigned i = 1; i <= wanted; i++) {
		users_send(i);
		world_send(talk, i);
		if (i % 60 == 0) {
			command(&core, "reset", "edge-a");
			AWAIT(is_linked);
		}
	}
	AWAIT(world_has_all);
	AWAIT(users_have_all);
	AWAIT(nothing_is_open);
	assert_in_order(&world, "u", wanted);
	assert_in_order(&users, "w", wanted);
}

static void another_edge_makes_what_the_first_had_uncertain(void **state)
{
	manner.no_result = true;
	start();
	users_send(1);
	AWAIT(world_got_result);
	gateway_destroy(&edge.gateway);
	manner.no_result = false;
	node_begin(&edge);
	AWAIT(users_have_an_error);
	assert_int_equal(heard(&users, "type='error'", "may have been delivered"), 1);
	AWAIT(nothing_is_open);
	assert_false(world_has_one());
}

static bool world_has_an_error(void)
{
	return heard(&world, "<message ", "type='error'") > 0;
}

static void another_core_makes_what_the_first_had_uncertain(void **state)
{
	struct talk *talk;

	start();
	manner.no_acks = true;
	talk = world_comes();
	world_send(talk, 1);
	AWAIT(users_have_one);
	gateway_destroy(&core.gateway);
	manner.no_acks = false;
	node_begin(&core);
	AWAIT(world_has_an_error);
	assert_int_equal(heard(&world, "type='error'", "may have been delivered"), 1);
	AWAIT(nothing_is_open);
	assert_int_equal(heard(&users, " id='w1'", NULL), 1);
}

/* The first may have given it to the users, whatever the second does with stanzas. */
static void nor_does_a_core_that_is_no_longer_the_last_know(void **state)
{
	struct talk *talk;

	start();
	manner.no_acks = true;
	talk = world_comes();
	world_send(talk, 1);
	AWAIT(users_have_one);
	gateway_destroy(&core.gateway);
	set.without_attachment = true;
	node_begin(&core);
	AWAIT(world_has_an_error);
	assert_int_equal(heard(&world, "type='error'", "may have been delivered"), 1);
}

static void what_waits_too_long_is_bounced(void **state)
{
	manner.no_result = true;
	set.queue_seconds = 1;
	start();
	users_send(1);
	AWAIT(users_have_an_error);
	AWAIT(nothing_is_open);
	assert_false(world_has_one());
}

static void the_next_address_is_tried_after_one_that_refuses(void **state)
{
	set.dead_route = true;
	start();
	users_send(1);
	AWAIT(world_has_one);
}

static bool world_heard_a_footer(void)
{
	return heard(&world, "</stream:stream>", NULL) > 0;
}

static bool world_heard_a_header(void)
{
	return heard(&world, "<stream:stream", NULL) > 0;
}

static void federation_off_closes_and_on_opens_again(void **state)
{
	struct talk *talk;

	start();
	users_send(1);
	AWAIT(world_has_one);
	world_comes();
	manner.keeps_stream = true;
	set.off = true;
	apply(&edge);
	AWAIT(world_heard_a_footer);
	set.off = false;
	apply(&edge);
	users_send(2);
	PASSES(users_have_an_error, 100);
	for (talk = world.talks; talk; talk = talk->next)
		say(talk, "</stream:stream>");
	wanted = 2;
	AWAIT(world_has_all);
	assert_false(users_have_an_error());
	assert_in_order(&world, "u", 2);
}

static void federation_off_during_set_up_dials_nobody_else(void **state)
{
	manner.no_features = true;
	set.second_route = true;
	start();
	users_send(1);
	AWAIT(world_heard_a_header);
	set.off = true;
	apply(&edge);
	AWAIT(users_have_an_error);
	say(world.talks, "</stream:stream>");
	PASSES(NULL, 100);
	assert_int_equal(heard(&world, "<stream:stream", NULL), 1);
}

static void a_stanza_for_a_stream_that_is_closing_takes_the_next(void **state)
{
	char xcoder[32];
	struct talk *first;

	start();
	users_send(1);
	AWAIT(world_has_one);
	first = world.talks;
	manner.keeps_stream = true;
	assert_true(find_stream(&edge, "out", xcoder));
	command(&edge, "close", xcoder);
	AWAIT(world_heard_a_footer);
	users_send(2);
	PASSES(users_have_an_error, 100);
	assert_int_equal(heard(&world, " id='u2'", NULL), 0);
	say(first, "</stream:stream>");
	wanted = 2;
	AWAIT(world_has_all);
	assert_ptr_not_equal(world.talks, first);
	assert_in_order(&world, "u", 2);
}

static bool edge_holds_unsent(void)
{
	return SHOWS(&edge, "queue", "home.example", "far.example");
}

/* What was given to the connection and not to the kernel must not leave twice. */
static void a_peer_that_closes_before_it_reads_gets_each_stanza_once(void **state)
{
	enum { count = 3000 };
	static bool had[count + 1];
	char text[4096];

	start();
	users_send(1);
	AWAIT(world_has_one);
	conn_pause(world.talks->conn, true);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 2; i <= count; i++) {
		char *message =
			xasprintf("<message from='a@home.example' to='b@far.example' id='u%u'>"
				  "<body>%s</body></message>",
				  i, text);

		say(users_talk(), message);
		free(message);
	}
	AWAIT(edge_holds_unsent);
	say(world.talks->conn ? world.talks : NULL, "</stream:stream>");
	PASSES(NULL, 100);
	for (struct talk *talk = world.talks; talk; talk = talk->next)
		if (talk->conn)
			conn_pause(talk->conn, false);
	AWAIT(nothing_is_open);
	PASSES(NULL, 200);
	for (size_t i = 0; i < world.count; i++) {
		unsigned long number = strtoul(attr(world.elements[i], "id") + 1, NULL, 10);

		if (!starts(world.elements[i], "<message "))
			continue;
		assert_in_range(number, 1, count);
		assert_false(had[number]);
		had[number] = true;
	}
}

/* XEP-0220: our own claim and the question about the peer's are two matters. */
static void a_refused_claim_of_ours_leaves_the_question_about_the_peers_open(void **state)
{
	struct talk *talk, *back;

	manner.no_verify = true;
	manner.result_error = true;
	start();
	talk = dial(&world, edge.s2s_port);
	world_sends_header(talk);
	AWAIT(world_was_asked_to_verify);
	back = world.talks;
	users_send(1);
	AWAIT(world_got_result);
	PASSES(NULL, 100);
	assert_int_equal(heard(&world, "<db:result ", "type='error'"), 0);
	for (size_t i = 0; i < world.count; i++) {
		const char *q = world.elements[i];

		if (starts(q, "<db:verify "))
			sayf(back,
			     "<db:verify from='far.example' to='home.example' id='%s' "
			     "type='valid'/>",
			     attr(q, "id"));
	}
	AWAIT(world_is_proven);
}

static bool resolver_was_asked(void)
{
	return resolver.asked > 0;
}

static void new_settings_during_a_lookup_begin_it_anew(void **state)
{
	set.uses_dns = true;
	resolver.holds = true;
	resolver.srv_port = world.port;
	start();
	users_send(1);
	AWAIT(resolver_was_asked);
	resolver.holds = false;
	apply(&edge);
	AWAIT(world_has_one);
}

static void refuses_itself(void)
{
	set.uses_dns = true;
	resolver.srv_port = edge.s2s_port;
	start();
	users_send(1);
	AWAIT(users_have_an_error);
	assert_true(SHOWS(&edge, "counter", "connections.accepted", "0"));
}

static void an_address_of_our_own_is_never_dialled_for_a_public_record(void **state)
{
	refuses_itself();
}

static void nor_is_any_of_the_hosts_when_we_listen_on_all(void **state)
{
	close(edge.s2s_fd);
	edge.s2s_fd = listen_on(INADDR_ANY, &edge.s2s_port);
	refuses_itself();
}

static void tls_that_becomes_required_during_set_up_is_required(void **state)
{
	manner.no_features = true;
	start();
	users_send(1);
	AWAIT(world_heard_a_header);
	set.security = "tls-required";
	apply(&edge);
	manner.no_features = false;
	say(world.talks, "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/>"
			 "</stream:features>");
	AWAIT(users_have_an_error);
	assert_false(world_has_one());
	assert_false(world_got_result());
}

static void a_node_removed_with_stanzas_waiting_answers_them(void **state)
{
	start();
	gateway_destroy(&edge.gateway);
	users_send(1);
	users_send(2);
	PASSES(NULL, 100);
	set.without_link = true;
	apply(&core);
	wanted = 2;
	AWAIT(users_have_an_error);
	set.without_link = false;
	node_begin(&edge);
	apply(&core);
	AWAIT(is_up);
	users_send(3);
	AWAIT(world_has_one);
	assert_int_equal(heard(&users, "type='error'", NULL), 2);
}

static void a_gateway_may_go_with_stanzas_of_the_world_in_hand(void **state)
{
	struct talk *talk;

	start();
	manner.no_acks = true;
	talk = world_comes();
	world_send(talk, 1);
	AWAIT(users_have_one);
	users_send(1);
	AWAIT(world_has_one);
	gateway_destroy(&edge.gateway);
	gateway_destroy(&core.gateway);
	node_begin(&edge);
	node_begin(&core);
	AWAIT(is_linked);
}

/* The module counts what one instance of ours sends: another attachment begins at 1. */
static void a_changed_attachment_is_another_instance_for_the_module(void **state)
{
	struct talk *talk;

	manner.module = true;
	start();
	talk = world_comes();
	world_send(talk, 1);
	world_send(talk, 2);
	wanted = 2;
	AWAIT(users_have_all);
	AWAIT(nothing_is_open);
	set.secret = "another";
	apply(&core);
	AWAIT(is_attached);
	world_send(talk, 3);
	wanted = 3;
	AWAIT(users_have_all);
	AWAIT(nothing_is_open);
	assert_int_equal(manner.module_had, 1);
}

static bool world_is_refused_a_claim(void)
{
	return heard(&world, "<db:result ", "type='error'") > 0;
}

/* SEC-21: each claim would have us look a domain up and dial it. */
static void claims_make_no_more_pairs_than_connections_may_be(void **state)
{
	struct talk *talk;

	set.uses_dns = true;
	set.connections = 2;
	resolver.holds = true;
	start();
	talk = dial(&world, edge.s2s_port);
	say(talk, "<stream:stream xmlns='jabber:server' " STREAMS " " DB
		  " version='1.0' to='home.example'>");
	for (unsigned i = 1; i <= 3; i++)
		sayf(talk, "<db:result from='x%u.example' to='home.example'>key</db:result>", i);
	AWAIT(world_is_refused_a_claim);
	PASSES(NULL, 50);
	assert_int_equal(heard(&world, "type='error'", "to='x3.example'"), 1);
	assert_int_equal(heard(&world, "type='error'", NULL), 1);
	assert_int_equal(resolver.asked, 2);
}

static bool edge_has_no_pair(void)
{
	char xcoder[32];

	return !find_stream(&edge, "out", xcoder);
}

static void a_pair_that_nothing_needs_any_more_goes(void **state)
{
	set.uses_dns = true;
	set.queue_seconds = 1;
	resolver.holds = true;
	start();
	users_send(1);
	AWAIT(users_have_an_error); /* expired; the lookup goes on */
	PASSES(edge_has_no_pair, 100);
	apply(&edge);
	AWAIT(edge_has_no_pair);
}

static bool is_done;

static void on_done(void *arg)
{
	is_done = true;
}

static bool it_is_done(void)
{
	return is_done;
}

static void shut_down_answers_everything(void **state)
{
	manner.no_result = true;
	start();
	users_send(1);
	AWAIT(world_got_result);
	is_done = false;
	gateway_shut_down(edge.gateway, on_done, NULL);
	AWAIT(it_is_done);
	AWAIT(users_have_an_error);
	assert_int_equal(heard(&users, "type='error'", "may have been delivered"), 0);
}

/* Its fate comes before the link closes: nobody has to guess. */
static void shut_down_tells_what_was_written(void **state)
{
	start();
	users_send(1);
	AWAIT(world_has_one);
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	is_done = false;
	gateway_shut_down(edge.gateway, on_done, NULL);
	AWAIT(it_is_done);
	gateway_destroy(&edge.gateway);
	node_begin(&edge);
	AWAIT(is_linked);
	AWAIT(nothing_is_open);
	assert_false(users_have_an_error());
}

static bool edge_has_lost_the_link(void)
{
	return SHOWS(&edge, "link", "core-a", "core", "down");
}

static bool link_holds_one(void)
{
	return SHOWS(&edge, "link", "core-a", "core", "", "", "1");
}

static void shut_down_bounces_what_waits_for_a_link_that_is_down(void **state)
{
	struct talk *talk;

	start();
	users_send(1);
	AWAIT(world_has_one);
	talk = world_comes();
	gateway_destroy(&core.gateway);
	AWAIT(edge_has_lost_the_link);
	world_send(talk, 1);
	AWAIT(link_holds_one);
	is_done = false;
	gateway_shut_down(edge.gateway, on_done, NULL);
	AWAIT(it_is_done);
	AWAIT(world_has_an_error);
	node_begin(&core);
}

static bool no_stream_is_open(void)
{
	return SHOWS(&edge, "counter", "streams.open", "0");
}

/* What the settings as they are now would do to a node, told and not done. */
static void assert_would(struct node *node, const char *want, const char *want_too)
{
	struct node candidate = { .is_edge = node->is_edge, .is_home = node->is_home };
	char *text;

	make_snapshot(&candidate);
	text = gateway_try(node->gateway, candidate.snapshot);
	if (!strstr(text, want) || (want_too && !strstr(text, want_too)))
		fail_msg("'%s' is not in '%s'", want, text);
	free(text);
	snapshot_destroy(&candidate.snapshot);
	buffer_finish(&candidate.bytes);
}

static void what_other_settings_would_close_is_told_and_then_closed(void **state)
{
	char in[32], out[32], *line;

	start();
	users_send(1);
	world_comes();
	AWAIT(world_has_one);
	assert_true(find_stream(&edge, "in", in));
	assert_true(find_stream(&edge, "out", out));
	assert_would(&edge, "closes no stream\n", NULL);
	set.mode = "allow-list";
	assert_would(&edge, "closes no stream\n", NULL); /* a static route allows */
	set.uses_dns = true;
	line = xasprintf("closes stream %s from far.example to home.example (in): "
			 "not-on-allow-list\n",
			 in);
	assert_would(&edge, "closes 2 of 2 streams\n", line);
	free(line);
	line = xasprintf("closes stream %s from home.example to far.example (out): "
			 "not-on-allow-list\n",
			 out);
	assert_would(&edge, line, NULL);
	free(line);
	assert_true(SHOWS(&edge, "counter", "streams.open", "2"));
	apply(&edge);
	AWAIT(no_stream_is_open);
}

static size_t records_of(struct node *node, bool brief, const char *name)
{
	struct buffer out = { 0 };
	struct snapshot_record r;
	struct snapshot *status;
	const char *why;
	size_t count = 0;

	gateway_status(node->gateway, brief, &out);
	status = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(status);
	for (size_t place = 0; snapshot_each(status, name, &place, &r);)
		count++;
	snapshot_destroy(&status);
	buffer_finish(&out);
	return count;
}

static void a_brief_status_counts_the_streams_and_lists_none(void **state)
{
	char address[32];

	manner.no_result = true;
	start();
	users_send(1);
	AWAIT(world_got_result);
	assert_int_equal(records_of(&edge, false, "stream"), 1);
	assert_int_equal(records_of(&edge, false, "queue"), 1);
	assert_int_equal(records_of(&edge, true, "stream"), 0);
	assert_int_equal(records_of(&edge, true, "queue"), 0);
	assert_int_equal(records_of(&edge, true, "link"), 1);
	assert_true(SHOWS(&edge, "counter", "streams.open", "1"));
	snprintf(address, sizeof(address), "127.0.0.1:%u", edge.link_port);
	assert_true(SHOWS(&core, "link", "edge-a", "edge", "open", "out", "", "", "", "", address));
}

static void only_a_home_nodes_router_can_be_restarted(void **state)
{
	start();
	ask(&core, "restart-router", NULL, NULL);
	assert_false(answered.done);
	assert_string_equal(answered.text, "only a home node's router works by a table");
}

static void what_waits_for_a_stream_would_be_bounced(void **state)
{
	manner.no_result = true;
	start();
	users_send(1);
	AWAIT(world_got_result);
	assert_would(&edge, "closes no stream\n", NULL);
	set.off = true;
	assert_would(&edge, "closes 1 of 1 stream\n", "bounces 1 stanza that waits\n");
}

static bool users_federate(void)
{
	return SHOWS(&core, "attachment", "users", "ready", "", "", "yes");
}

static void a_server_that_begins_to_federate_is_shown(void **state)
{
	manner.module = true;
	start();
	assert_true(SHOWS(&core, "attachment", "users", "ready", "", "", "no"));
	say(users_talk(), "<status xmlns='urn:sallyport:attach:1' s2s='yes'/>");
	AWAIT(users_federate);
}

static void settings_that_do_not_work_are_told(void **state)
{
	start();
	set.security = "tls-required";
	assert_would(&edge, "closes no stream\n",
		     "these settings do not work: federation.security_mode is tls-required");
	set.security = "nonsense";
	assert_would(&edge, "these settings cannot be used: federation.security_mode", NULL);
	set.security = NULL;
	set.without_link = true;
	assert_would(&edge, "link to core-a: dropped\n", NULL);
	set.without_attachment = true;
	assert_would(&core, "attachment users: dropped\n", "link to edge-a: dropped\n");
	set.without_attachment = false;
	set.secret = "another";
	assert_would(&core, "attachment users: reconnected\n", NULL);
	assert_true(is_up());
}

static bool route_is_dead(void)
{
	return SHOWS(&edge, "route-dead", "far.example", "127.0.0.1:1: Connection refused");
}

static void a_static_route_is_dead_until_one_of_its_addresses_is_reached(void **state)
{
	uint16_t world_port = world.port;

	start();
	assert_true(SHOWS(&edge, "static-routes", "on", "1"));
	world.port = 1;
	apply(&edge);
	users_send(1);
	AWAIT(route_is_dead);
	world.port = world_port;
	apply(&edge);
	AWAIT(world_has_one);
	assert_false(route_is_dead());
	assert_true(SHOWS(&edge, "counter", "streams.open", "1"));
	assert_true(SHOWS(&edge, "route", "home.example", "core-a"));
	assert_true(SHOWS(&core, "default", "out", "edge-a"));
}

/* With a home node: what its table, and what the core knows of its edges, let pass */

#define REALM "cm-2_s2scp-1.edge-a"

static bool home_is_up(void)
{
	return SHOWS(&home, "attachment", "users", "ready") &&
	       SHOWS(&core, "link", "home-a", "home", "open");
}

static bool home_heard_of_the_edge(void)
{
	return SHOWS(&home, "link", "core-a", "", "", "", "", "", "", "edge-a");
}

static bool home_heard_of_none(void)
{
	return SHOWS(&home, "link", "core-a", "core", "open", "", "", "", "", "") &&
	       !home_heard_of_the_edge();
}

static void start_with_home(void)
{
	set.with_home = true;
	node_begin(&edge);
	node_begin(&core);
	node_begin(&home);
	AWAIT(is_linked);
	AWAIT(home_is_up);
}

static bool users_heard_not_provisioned(void)
{
	return heard(&users, "type='error'", "not set up yet") > 0;
}

static bool home_heard_of_the_first_edge(void)
{
	return SHOWS(&home, "link", "core-a", "", "", "", "", "", "", "edge-0");
}

static bool users_heard_twice(void)
{
	return heard(&users, "type='error'", "not set up yet") == 2;
}

static bool users_heard_restart_pending(void)
{
	return heard(&users, "type='error'", "being set up") > 0;
}

static bool passed_to(struct node *node, char *text, size_t size)
{
	struct buffer body = { 0 };
	bool gated = gateway_loaded(node->gateway, &body);

	snprintf(text, size, "%zu", buffer_len(&body));
	buffer_finish(&body);
	return gated;
}

static void nothing_foreign_leaves_home_until_its_table_names_a_linked_realm(void **state)
{
	start_with_home();
	AWAIT(home_heard_of_the_edge);
	users_send(1);
	AWAIT(users_heard_not_provisioned);
	set.cp_id = "cm-2_s2scp-1.edge-b";
	apply(&home);
	users_send(2);
	AWAIT(users_heard_twice);
	assert_false(world_has_one());
	set.cp_id = REALM;
	apply(&home);
	users_send(3);
	AWAIT(world_has_one);
	assert_int_equal(heard(&world, "<message ", NULL), 1);
}

static void with_restart_the_table_is_read_when_the_router_is_restarted(void **state)
{

	set.apply = "restart";
	start_with_home();
	AWAIT(home_heard_of_the_edge);
	set.cp_id = REALM;
	apply(&home);
	assert_true(SHOWS(&home, "realm", "edge-a", "stored", "linked"));
	users_send(1);
	AWAIT(users_heard_restart_pending);
	command(&home, "restart-router", NULL);
	assert_true(SHOWS(&home, "realm", "edge-a", "both", "linked"));
	users_send(2);
	AWAIT(world_has_one);
	assert_true(SHOWS(&home, "attachment", "users", "ready"));
}

static void a_table_that_is_there_at_the_start_is_loaded(void **state)
{
	set.apply = "restart";
	set.cp_id = REALM;
	start_with_home();
	users_send(1);
	AWAIT(world_has_one);
}

static void only_a_node_with_a_table_tells_what_is_loaded(void **state)
{
	char text[16];

	set.cp_id = REALM;
	start_with_home();
	assert_true(passed_to(&home, text, sizeof(text)));
	assert_int_equal(strtoul(text, NULL, 10), 8 + 2 + 4 + strlen(REALM));
	assert_false(passed_to(&core, text, sizeof(text)));
}

static void an_edge_that_is_not_enabled_is_no_realm_and_takes_nothing(void **state)
{
	set.cp_id = REALM;
	set.told = "off";
	start_with_home();
	AWAIT(home_heard_of_none);
	users_send(1);
	AWAIT(users_heard_not_provisioned);
	set.told = "on";
	apply(&core);
	AWAIT(home_heard_of_the_edge);
	users_send(2);
	AWAIT(world_has_one);
}

static void nor_is_one_with_another_secret_than_the_first(void **state)
{
	set.cp_id = REALM;
	set.told = "on";
	set.told_secret = "def";
	start_with_home();
	AWAIT(home_heard_of_the_first_edge);
}

static void a_link_that_is_reset_bounces_nothing(void **state)
{
	set.cp_id = REALM;
	start_with_home();
	AWAIT(home_heard_of_the_edge);
	command(&core, "reset", "home-a");
	users_send(1);
	command(&core, "reset", "edge-a");
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	assert_false(users_have_an_error());
}

static void an_edge_that_stays_away_is_no_realm_any_more(void **state)
{
	set.cp_id = REALM;
	set.patience_s = 1;
	start_with_home();
	AWAIT(home_heard_of_the_edge);
	gateway_destroy(&edge.gateway);
	PASSES(home_heard_of_none, 300);
	AWAIT(home_heard_of_none);
	users_send(1);
	AWAIT(users_heard_not_provisioned);
}

/* What happened */

static void why_tells_each_step_of_an_attempt(void **state)
{
	start();
	users_send(1);
	AWAIT(world_has_one);
	command(&edge, "why", "far.example");
	IN_ORDER(records(), "\nnode|edge-a|edge", "\ndomain|far.example|foreign",
		 "\npolicy|home.example|allowed||static", "\nattempt|out|home.example|far.example|",
		 "|ready||", "|policy|policy|ok|home.example and far.example may talk, by a static",
		 "|peer|tcp|ok|connected to 127.0.0.1:", "|peer|stream|info|<stream:stream ",
		 "|peer|features|info|<stream:features>", "|us|dialback|info|<db:result ",
		 "|peer|dialback|ok|<db:result ", "|peer|ready|ok|");
	assert_null(strstr(records(), "\nretry|"));
	command(&core, "why", "far.example");
	IN_ORDER(records(), "\nnode|core-a|core", "\nway|edge-a|", "\nask|edge-a|edge|linked");
	assert_null(strstr(records(), "attempt"));
	command(&edge, "why", "never.example");
	IN_ORDER(records(), "\npolicy|home.example|allowed||dns");
	assert_null(strstr(records(), "attempt"));
	ask(&edge, "why", "not a domain", NULL);
	assert_false(answered.done);
}

static void why_tells_the_other_direction_too(void **state)
{
	start();
	world_send(world_comes(), 1);
	AWAIT(users_have_one);
	command(&edge, "why", "far.example");
	IN_ORDER(records(), "\nattempt|in|home.example|far.example|", "|ready||",
		 "|peer|tcp|ok|from 127.0.0.1", "|us|verify|info|asking the server of far.example",
		 "|peer|verify|ok|the key is theirs", "|us|ready|ok|");
	assert_true(SHOWS(&edge, "peer", "far.example", "none", "ready", "0", "", "", "", "", "1"));
	assert_true(SHOWS(&edge, "counter", "dialback.verified.valid", "1"));
	assert_true(SHOWS(&edge, "counter", "setups.in.ready", "1"));
	assert_true(SHOWS(&edge, "counter", "stanzas.in", "1"));
	assert_true(SHOWS(&core, "counter", "stanzas.in", "1"));
	assert_true(SHOWS(&core, "counter", "stanzas.out", "0"));
	assert_true(SHOWS(&edge, "histogram", "setup_in", "+Inf", "1"));
}

static bool edge_waits_for_the_retry(void)
{
	command(&edge, "why", "far.example");
	return strstr(records(), "\nretry|") != NULL;
}

static void why_names_what_failed_and_what_waits(void **state)
{
	set.dead_route = true;
	start();
	script_end(&world);
	world = (struct script){ .fd = -1 };
	users_send(1);
	AWAIT(edge_waits_for_the_retry);
	IN_ORDER(records(), "\nqueue|home.example|far.example|1|", "\nretry|", "\nattempt|out|",
		 "|failed|tcp-refused|", "|peer|tcp|bad|127.0.0.1:1: ", "|peer|tcp|bad|127.0.0.1:");
	assert_true(SHOWS(&edge, "peer", "far.example", "waiting", "none", "1", "", "tcp-refused"));
	assert_true(SHOWS(&edge, "counter", "setups.out.failed.tcp-refused", "1"));
}

static bool is_answered(void)
{
	return answered.count > 0;
}

static bool world_heard_two_headers(void)
{
	return heard(&world, "<stream:stream", NULL) == 2;
}

static void a_probe_goes_up_to_authentication_and_sends_nothing(void **state)
{
	start();
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 0);
	AWAIT(is_answered);
	assert_true(answered.done);
	IN_ORDER(records(), "\npolicy|home.example|allowed", "\nattempt|out|home.example|",
		 "|ready||", "|peer|dialback|ok|", "|peer|ready|ok|");
	AWAIT(world_heard_a_footer);
	assert_int_equal(heard(&world, "<message", NULL), 0);
	users_send(1); /* takes a stream of its own */
	AWAIT(world_has_one);
	assert_int_equal(heard(&world, "<stream:stream", NULL), 2);
}

static void a_probe_leaves_the_stream_that_is_there(void **state)
{
	char xcoder[32], after[32];

	start();
	users_send(1);
	AWAIT(world_has_one);
	assert_true(find_stream(&edge, "out", xcoder));
	answered.count = 0;
	ask(&edge, "probe", "far.example", "home.example");
	AWAIT(world_heard_two_headers);
	AWAIT(is_answered);
	AWAIT(world_heard_a_footer);
	assert_int_equal(heard(&world, "<message", NULL), 1);
	PASSES(NULL, 50);
	assert_true(find_stream(&edge, "out", after));
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	assert_int_equal(heard(&world, "<stream:stream", NULL), 2);
}

static void a_probe_that_is_refused_says_why(void **state)
{
	set.mode = "allow-list";
	set.uses_dns = true;
	manner.result_error = true;
	start();
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 1); /* at once: nobody is dialled */
	IN_ORDER(records(), "\npolicy|home.example|refused|not-on-allow-list|dns", "\nattempt|out|",
		 "|failed|not-on-allow-list|", "|policy|policy|bad|");
	assert_int_equal(resolver.asked, 0);
	ask(&edge, "probe", "far.example", "else.example");
	assert_false(answered.done);
	ask(&core, "probe", "far.example", "-");
	assert_false(answered.done);
	IN_ORDER(answered.text, "no side to the world");
	set.mode = NULL;
	set.uses_dns = false;
	apply(&edge);
	answered.count = 0;
	ask(&edge, "probe", "far.example", "-");
	AWAIT(is_answered);
	IN_ORDER(records(), "\nattempt|out|", "|failed|", "|peer|dialback|bad|<db:result ");
	AWAIT(world_heard_a_footer);
}

static void there_are_four_probes_at_most(void **state)
{
	manner.no_features = true;
	start();
	answered.count = 0;
	for (int i = 0; i < 4; i++)
		ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 0);
	ask(&edge, "probe", "far.example", "-");
	assert_int_equal(answered.count, 1);
	assert_false(answered.done);
	IN_ORDER(answered.text, "4 probes run already");
	command(&edge, "why", "far.example"); /* and the gateway may go while they run */
	IN_ORDER(records(), "|running||", "|running||", "|running||");
}

/* The log of this process, while it is kept. */
static int log_fd = -1;

static void keep_log(void)
{
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(log_fd >= 0);
	log_to(log_fd);
}

static char *kept_log(void)
{
	off_t len = lseek(log_fd, 0, SEEK_END);
	char *text = xcalloc(1, (size_t)len + 1);

	log_to(STDERR_FILENO);
	assert_int_equal(pread(log_fd, text, (size_t)len, 0), len);
	close(log_fd);
	return text;
}

static bool world_has_both(void)
{
	return heard(&world, "<message ", "to='b@far.example'") &&
	       heard(&world, "<message ", "to='b@else.example'");
}

static void send_to_two(void)
{
	users_send(1);
	say(users_talk(), "<message from='a@home.example' to='b@else.example' id='e1'>"
			  "<body>quiet</body></message>");
	AWAIT(world_has_both);
	AWAIT(nothing_is_open);
}

static void set_levels(enum log_level level)
{
	for (size_t i = 0; i < EVENT_MODULE_COUNT; i++)
		event_levels[i] = level;
}

static void what_is_watched_is_logged_and_nothing_else(void **state)
{
	char *text;

	set.uses_dns = true;
	resolver.srv_port = world.port;
	start();
	set_levels(LOG_LEVEL_ERROR);
	ask(&edge, "watch", "far.example", "60");
	assert_true(answered.done);
	ask(&core, "watch", "far.example", "60");
	keep_log();
	send_to_two();
	text = kept_log();
	IN_ORDER(text, "Level=\"INFO\" CodeLocation=\"Resolver\"", "dns.answer",
		 "name=_xmpp-server._tcp.far.example", "s2s.out.attempt", "onStreamOpen",
		 "stream.features", "s2s.out.ready", "stanza.written");
	IN_ORDER(text, "stanza.routed", "to=b@far.example port=edge-a");
	assert_null(strstr(text, "else.example"));
	free(text);

	ask(&edge, "watch", "far.example", "0");
	ask(&core, "watch", "far.example", "0");
	keep_log();
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	text = kept_log();
	set_levels(LOG_LEVEL_INFO);
	assert_string_equal(text, "");
	free(text);
	ask(&edge, "watch", "far.example", "soon");
	assert_false(answered.done);
	ask(&edge, "watch", "far example", "60");
	assert_false(answered.done);
	ask(&edge, "watch", "0123456789", "60"); /* a domain of digits; no xcoder has ten */
	ask(&edge, "watch", "34A9B60C8", "60");
	assert_true(answered.done);
}

static void whole_stanzas_of_one_domain_are_logged_until_the_time(void **state)
{
	char *text;

	set.uses_dns = true;
	set.stanza_log_until = (int64_t)time(NULL) + 3600;
	resolver.srv_port = world.port;
	start();
	set_levels(LOG_LEVEL_ERROR);
	keep_log();
	send_to_two();
	text = kept_log();
	IN_ORDER(text, "stanza.logged", "to=b@far.example bytes=", "stanza=<message",
		 "<body>x</body>", "stanza.logged");
	assert_null(strstr(text, "quiet"));
	free(text);

	set.stanza_log_until = (int64_t)time(NULL);
	apply(&edge);
	apply(&core);
	keep_log();
	users_send(2);
	wanted = 2;
	AWAIT(world_has_all);
	text = kept_log();
	set_levels(LOG_LEVEL_INFO);
	assert_null(strstr(text, "stanza.logged"));
	free(text);
}

static int make_identities(void **state)
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

static int drop_identities(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stanzas_go_both_ways),
		TEST(a_link_reset_loses_and_doubles_nothing),
		TEST(another_edge_makes_what_the_first_had_uncertain),
		TEST(another_core_makes_what_the_first_had_uncertain),
		TEST(nor_does_a_core_that_is_no_longer_the_last_know),
		TEST(what_waits_too_long_is_bounced),
		TEST(the_next_address_is_tried_after_one_that_refuses),
		TEST(federation_off_closes_and_on_opens_again),
		TEST(federation_off_during_set_up_dials_nobody_else),
		TEST(a_stanza_for_a_stream_that_is_closing_takes_the_next),
		TEST(a_peer_that_closes_before_it_reads_gets_each_stanza_once),
		TEST(a_refused_claim_of_ours_leaves_the_question_about_the_peers_open),
		TEST(new_settings_during_a_lookup_begin_it_anew),
		TEST(an_address_of_our_own_is_never_dialled_for_a_public_record),
		TEST(nor_is_any_of_the_hosts_when_we_listen_on_all),
		TEST(tls_that_becomes_required_during_set_up_is_required),
		TEST(a_node_removed_with_stanzas_waiting_answers_them),
		TEST(a_gateway_may_go_with_stanzas_of_the_world_in_hand),
		TEST(a_changed_attachment_is_another_instance_for_the_module),
		TEST(claims_make_no_more_pairs_than_connections_may_be),
		TEST(a_pair_that_nothing_needs_any_more_goes),
		TEST(shut_down_answers_everything),
		TEST(shut_down_tells_what_was_written),
		TEST(shut_down_bounces_what_waits_for_a_link_that_is_down),
		TEST(what_other_settings_would_close_is_told_and_then_closed),
		TEST(a_brief_status_counts_the_streams_and_lists_none),
		TEST(only_a_home_nodes_router_can_be_restarted),
		TEST(what_waits_for_a_stream_would_be_bounced),
		TEST(a_server_that_begins_to_federate_is_shown),
		TEST(settings_that_do_not_work_are_told),
		TEST(a_static_route_is_dead_until_one_of_its_addresses_is_reached),
		TEST(nothing_foreign_leaves_home_until_its_table_names_a_linked_realm),
		TEST(with_restart_the_table_is_read_when_the_router_is_restarted),
		TEST(a_table_that_is_there_at_the_start_is_loaded),
		TEST(only_a_node_with_a_table_tells_what_is_loaded),
		TEST(an_edge_that_is_not_enabled_is_no_realm_and_takes_nothing),
		TEST(nor_is_one_with_another_secret_than_the_first),
		TEST(a_link_that_is_reset_bounces_nothing),
		TEST(an_edge_that_stays_away_is_no_realm_any_more),
		TEST(why_tells_each_step_of_an_attempt),
		TEST(why_tells_the_other_direction_too),
		TEST(why_names_what_failed_and_what_waits),
		TEST(a_probe_goes_up_to_authentication_and_sends_nothing),
		TEST(a_probe_leaves_the_stream_that_is_there),
		TEST(a_probe_that_is_refused_says_why),
		TEST(there_are_four_probes_at_most),
		TEST(what_is_watched_is_logged_and_nothing_else),
		TEST(whole_stanzas_of_one_domain_are_logged_until_the_time),
	};

	return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
