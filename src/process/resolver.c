/*
 * sallyport-resolver: the process that speaks DNS. It hears strangers through a large library, so
 * it holds no key, opens no file once it serves, and all it can do is answer the questions of
 * traffic and manage.
 */
#include "base/alloc.h"
#include "ipc/startup.h"
#include "ipc/wire.h"
#include "net/messenger.h"
#include "net/resolve.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define TRUST_ANCHORS "/usr/share/dns/root.key"
#define TRUST_ANCHORS_BYTES 65536

struct request;

struct client {
	struct resolver *resolver;
	enum process who;
	struct messenger *messenger; /* NULL: not there now */
	struct request *requests;
};

struct resolver {
	struct loop *loop;
	struct messenger *control;
	struct client clients[PROCESS_COUNT];
	struct resolve *resolve;
	struct resolve_config config; /* in force */
	char *trust_anchors;	      /* NULL: this machine has none */
};

struct request {
	struct client *client;
	struct request *next, **link;
	uint32_t number;
	struct resolve_query *query;
};

static void forget(struct request *request)
{
	*request->link = request->next;
	if (request->next)
		request->next->link = request->link;
	free(request);
}

static void answered(void *arg, const struct dns_answer *answer)
{
	struct request *request = arg;
	struct buffer body = { 0 };

	dns_wire_put_answer(&body, answer);
	messenger_send(request->client->messenger, MESSAGE_ANSWER, request->number,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
	forget(request);
}

static void client_asks(void *arg, struct message *message)
{
	struct client *client = arg;
	struct dns_question question;
	struct request *request;

	if (!dns_wire_get_query(message->body, &question)) {
		log_event(EVENT_IPC_REFUSED, "message=query from=%s why=malformed",
			  process_name(client->who));
		return;
	}
	request = xcalloc(1, sizeof(*request));
	request->client = client;
	request->number = message->request;
	request->next = client->requests;
	if (request->next)
		request->next->link = &request->next;
	request->link = &client->requests;
	client->requests = request;
	request->query = resolve_ask(client->resolver->resolve, &question, answered, request);
}

static void client_leaves(void *arg)
{
	struct client *client = arg;

	for (struct request *request = client->requests, *next; request; request = next) {
		next = request->next;
		resolve_cancel(&request->query);
		forget(request);
	}
	messenger_destroy(&client->messenger);
}

static const struct messenger_handler client_handler = { client_asks, client_leaves };

static void client_comes(struct resolver *r, enum process who, int fd)
{
	struct client *client = &r->clients[who];

	client_leaves(client); /* its channel may be closed later than its successor's opens */
	client->resolver = r;
	client->who = who;
	client->messenger =
		messenger_create(r->loop, fd, PROCESS_RESOLVER, who, &client_handler, client);
}

static void read_config(struct resolver *r, const struct snapshot *snapshot,
			struct resolve_config *config)
{
	struct snapshot_record record;
	size_t place = 0;

	*config = (struct resolve_config){ 0 };
	while (snapshot_each(snapshot, "dns.servers", &place, &record) &&
	       config->servers_count < RESOLVE_SERVERS_MAX) {
		if (record.count < 2 || record.fields[1].len >= RESOLVE_SERVER_BYTES)
			continue;
		memcpy(config->servers[config->servers_count++], record.fields[1].data,
		       record.fields[1].len);
	}
	if (snapshot_flag(snapshot, "dns.dnssec", false))
		config->trust_anchors = r->trust_anchors;
}

static bool is_same(const struct resolve_config *a, const struct resolve_config *b)
{
	return a->servers_count == b->servers_count && a->trust_anchors == b->trust_anchors &&
	       memcmp(a->servers, b->servers, sizeof(a->servers)) == 0;
}

/* By new settings; ones that libunbound cannot read leave everything as it was. */
static void configure(struct resolver *r, const struct snapshot *snapshot, enum event_id event)
{
	struct resolve_config config;
	const char *why;

	read_config(r, snapshot, &config);
	if (event == EVENT_RESOLVER_REBUILT && is_same(&config, &r->config))
		return;
	if (!resolve_configure(r->resolve, &config, &why)) {
		log_event(EVENT_SNAPSHOT_REFUSED, "what=dns.servers why=\"%s\"", why);
		return;
	}
	r->config = config;
	log_event(event, "servers=%zu first=%s dnssec=%s", config.servers_count,
		  config.servers_count ? config.servers[0] : "none",
		  config.trust_anchors				 ? "on"
		  : snapshot_flag(snapshot, "dns.dnssec", false) ? "off-without-" TRUST_ANCHORS
								 : "off");
}

static void take_snapshot(struct resolver *r, int fd)
{
	const char *why;
	struct snapshot *snapshot = snapshot_open(fd, &why);

	if (!snapshot) {
		log_event(EVENT_SNAPSHOT_REFUSED, "why=\"%s\"", why);
		return;
	}
	startup_apply_log(snapshot, PROCESS_RESOLVER);
	log_event(EVENT_SNAPSHOT_TAKEN, "generation=%" PRIu64 " revision=%" PRIu64,
		  snapshot_generation(snapshot), snapshot_revision(snapshot));
	configure(r, snapshot, EVENT_RESOLVER_REBUILT);
	snapshot_destroy(&snapshot);
}

static void control_says(void *arg, struct message *message)
{
	struct resolver *r = arg;
	struct wire in = wire_read(message->body);
	uint8_t who;

	switch (message->type) {
	case MESSAGE_SNAPSHOT:
		take_snapshot(r, message->fd);
		break;
	case MESSAGE_PEER:
		who = wire_get_u8(&in);
		if (wire_is_done(&in) && (who == PROCESS_TRAFFIC || who == PROCESS_MANAGE))
			client_comes(r, who, message_take_fd(message));
		break;
	case MESSAGE_SHUTDOWN:
		loop_stop(r->loop);
		break;
	default:
		break;
	}
}

static void control_leaves(void *arg)
{
	loop_stop(((struct resolver *)arg)->loop);
}

static const struct messenger_handler control_handler = { control_says, control_leaves };

/* Text of the file, or NULL. */
static char *read_trust_anchors(void)
{
	FILE *file = fopen(TRUST_ANCHORS, "re");
	char *text;
	size_t len;

	if (!file)
		return NULL;
	text = xcalloc(1, TRUST_ANCHORS_BYTES + 1);
	len = fread(text, 1, TRUST_ANCHORS_BYTES, file);
	fclose(file);
	if (len)
		return text;
	free(text);
	return NULL;
}

static int fail(const char *why)
{
	log_event(EVENT_PROCESS_FAILED, "why=\"%s\"", why);
	return EXIT_FAILURE;
}

static void finish(struct resolver *r)
{
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		client_leaves(&r->clients[i]);
	messenger_destroy(&r->control);
	resolve_destroy(&r->resolve);
	loop_destroy(&r->loop);
	free(r->trust_anchors);
}

int main(void)
{
	struct resolver r = { 0 };
	struct startup startup;
	const char *why;

	if (!startup_receive(&startup, PROCESS_RESOLVER, &why))
		return fail(why);

	r.loop = loop_create();
	loop_guard(r.loop, LOOP_GUARD_S);
	r.resolve = resolve_create(r.loop);
	r.trust_anchors = read_trust_anchors();
	configure(&r, startup.snapshot, EVENT_RESOLVER_READY);
	for (size_t i = 0; i < PROCESS_COUNT; i++) {
		if (startup.peers[i] >= 0)
			client_comes(&r, i, startup.peers[i]);
	}

	if (!startup_enter_sandbox(startup.snapshot, PROCESS_RESOLVER, &why))
		return EXIT_FAILURE; /* it has said why */
	snapshot_destroy(&startup.snapshot);
	startup_ready(startup.control);
	r.control =
		messenger_adopt(r.loop, &startup.control, PROCESS_CONTROL, &control_handler, &r);
	loop_run(r.loop);

	log_event(EVENT_PROCESS_STOP, "pid=%d", (int)getpid());
	finish(&r);
	return EXIT_SUCCESS;
}
