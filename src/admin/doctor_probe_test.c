#include "admin/doctor_probe.h"

#include "base/alloc.h"
#include "net/conn.h"
#include "net/dns_wire.h"
#include "net/messenger.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* All in one loop: the resolver, the server that the record leads to, and who asks. */
static struct stage {
	struct loop *loop;
	struct dns *dns;
	struct messenger *resolver;
	enum dns_status status; /* of every answer; FOUND: the server's record and address */
	int listening;
	uint16_t port;
	struct listener *listener;
	int accepted;
	const char *says; /* what the server says to everybody; NULL: it closes */
	json_t *results;
} stage;

static void on_question(void *arg, struct message *message)
{
	struct srv_record srv = { 0, 0, stage.port, "xmpp.fed.example" };
	struct dns_question question;
	struct dns_answer answer = { .status = stage.status };
	struct address address;
	struct buffer body = { 0 };

	assert_true(dns_wire_get_query(message->body, &question));
	assert_true(address_read(slice_of("127.0.0.1"), &address));
	answer.type = question.type;
	if (stage.status == DNS_FOUND && question.type == DNS_AAAA) {
		answer.status = DNS_EMPTY;
	} else if (stage.status == DNS_FOUND) {
		answer.srv = &srv;
		answer.addresses = &address;
		answer.count = 1;
	}
	dns_wire_put_answer(&body, &answer);
	messenger_send(stage.resolver, MESSAGE_ANSWER, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void on_gone(void *arg)
{
	messenger_destroy(&stage.resolver);
}

static void on_accepted(void *owner, int fd, const struct conn_address *from)
{
	if (stage.accepted >= 0)
		close(stage.accepted);
	stage.accepted = fd;
	if (!stage.says) {
		close(fd);
		stage.accepted = -1;
		return;
	}
	assert_int_equal(write(fd, stage.says, strlen(stage.says)), strlen(stage.says));
}

static int set_up(void **state)
{
	static const struct messenger_handler handler = { on_question, on_gone };
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fds[2];

	stage = (struct stage){ .loop = loop_create(), .accepted = -1 };
	assert_true(channel_pair(fds));
	stage.resolver = messenger_create(stage.loop, fds[0], PROCESS_RESOLVER, PROCESS_MANAGE,
					  &handler, NULL);
	stage.dns = dns_create(stage.loop, PROCESS_MANAGE, fds[1]);
	stage.listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(stage.listening, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(stage.listening, 8), 0);
	assert_int_equal(getsockname(stage.listening, (struct sockaddr *)&at, &len), 0);
	stage.port = ntohs(at.sin_port);
	stage.listener = listener_create(stage.loop, stage.listening, on_accepted, NULL);
	return 0;
}

static int tear_down(void **state)
{
	json_decref(stage.results);
	listener_destroy(&stage.listener);
	if (stage.listening >= 0)
		close(stage.listening);
	if (stage.accepted >= 0)
		close(stage.accepted);
	dns_destroy(&stage.dns);
	messenger_destroy(&stage.resolver);
	loop_destroy(&stage.loop);
	return 0;
}

static void on_done(void *arg, json_t *results)
{
	stage.results = json_incref(results);
	loop_stop(stage.loop);
}

static void probe(const char *plan_text)
{
	json_t *plan = json_loads(plan_text, 0, NULL);
	struct doctor_probe *made;

	assert_non_null(plan);
	json_decref(stage.results);
	stage.results = NULL;
	made = doctor_probe_create(stage.loop, stage.dns, plan, on_done, NULL);
	json_decref(plan);
	assert_null(stage.results); /* never from inside */
	loop_run(stage.loop);
	assert_non_null(stage.results);
	doctor_probe_destroy(&made);
}

static const char *first(const char *list, const char *key)
{
	const json_t *rows = json_object_get(stage.results, list);

	return json_string_value(
		json_object_get(json_is_array(rows) ? json_array_get(rows, 0) : rows, key));
}

#define DOMAINS "{\"domains\":[\"fed.example\"],\"own\":[]}"

static void a_domain_is_well_if_where_it_leads_speaks_for_it(void **state)
{
	static char long_nonsense[2000];
	static const struct {
		const char *says, *result, *in_words;
	} rows[] = {
		{ "<?xml version='1.0'?><stream:stream from='fed.example'><stream:features/>", "ok",
		  "answers for the domain" },
		{ "<stream:stream from=\"fed.example\"><stream:features>", "ok",
		  "(xmpp.fed.example) answers for the domain" },
		{ "<stream:stream from='other.fed.example'><stream:features/>", "bad",
		  "answers for another domain" },
		{ "<stream:stream from='fed.example'><stream:error><host-unknown/>", "bad",
		  "does not serve the domain" },
		{ "<stream:stream from='fed.example'><stream:error><x/>", "bad",
		  "refuses the stream" },
		{ long_nonsense, "bad", "what is not a stream" },
		{ NULL, "bad", "takes a connection and closes it" },
		{ "SSH-2.0", "bad", "says nothing" },
	};

	memset(long_nonsense, 'x', sizeof(long_nonsense) - 1);
	stage.status = DNS_FOUND;
	for (size_t i = 0; i < nitems(rows); i++) {
		stage.says = rows[i].says;
		probe(DOMAINS);
		if (strcmp(first("domains", "result"), rows[i].result) != 0 ||
		    !strstr(first("domains", "says"), rows[i].in_words))
			fail_msg("row %zu: %s: %s", i, first("domains", "result"),
				 first("domains", "says"));
		assert_string_equal(first("resolver", "result"), "ok");
	}
}

static void a_domain_that_leads_to_a_closed_port_is_not_well(void **state)
{
	char *plan =
		xasprintf("{\"domains\":[\"fed.example\"],\"own\":[\"127.0.0.1:%u\"]}", stage.port);

	listener_destroy(&stage.listener);
	close(stage.listening);
	stage.listening = -1;
	stage.status = DNS_FOUND;
	probe(plan);
	assert_string_equal(first("domains", "result"), "bad");
	assert_non_null(strstr(first("domains", "says"),
			       "refuses connections, though this node listens there"));
	free(plan);
}

static void a_record_that_is_missing_is_told_from_a_resolver_that_fails(void **state)
{
	stage.status = DNS_ABSENT;
	probe(DOMAINS);
	assert_string_equal(first("domains", "result"), "bad");
	assert_non_null(strstr(first("domains", "says"), "no record _xmpp-server._tcp"));
	assert_string_equal(first("resolver", "result"), "ok");

	stage.status = DNS_SERVFAIL;
	probe(DOMAINS);
	assert_string_equal(first("domains", "result"), "unknown");
	assert_string_equal(first("resolver", "result"), "bad");
}

static void routes_and_home_servers_are_tried_and_partners_looked_up(void **state)
{
	char *plan = xasprintf("{\"routes\":[\"r.example\"],\"partners\":[\"p.example\"],"
			       "\"home_servers\":[{\"name\":\"h\",\"address\":\"127.0.0.1:%u\"}]}",
			       stage.port);

	stage.status = DNS_FOUND;
	probe(plan);
	assert_non_null(strstr(first("routes", "says"), "takes connections"));
	assert_non_null(strstr(first("partners", "says"), "is found by its SRV record"));
	assert_non_null(strstr(first("home_servers", "result"), "takes connections"));
	assert_null(json_object_get(stage.results, "domains"));
	assert_null(json_object_get(stage.results, "resolver"));
	free(plan);
}

static void an_empty_plan_is_answered_from_the_loop(void **state)
{
	probe("{}");
	assert_int_equal(json_object_size(stage.results), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_domain_is_well_if_where_it_leads_speaks_for_it),
		TEST(a_domain_that_leads_to_a_closed_port_is_not_well),
		TEST(a_record_that_is_missing_is_told_from_a_resolver_that_fails),
		TEST(routes_and_home_servers_are_tried_and_partners_looked_up),
		TEST(an_empty_plan_is_answered_from_the_loop),
	};

	json_set_alloc_funcs(xmalloc, free);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
