#include "router/gateway_dialogue.h"

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

static bool edge_is_asked(void)
{
	return resolver.asked >= 1;
}

static bool edge_is_asked_again(void)
{
	return resolver.asked >= 2;
}

/* Who looks at what is going on must not begin it anew, nor end a back-off. */
static void what_is_logged_changes_nothing_else(void **state)
{
	set.uses_dns = true;
	resolver.holds = true;
	start();
	users_send(1);
	AWAIT(edge_is_asked);
	set.debugs = true;
	set.stanza_log_until = INT64_MAX / 4000;
	apply(&edge);
	PASSES(edge_is_asked_again, 100);
	apply(&edge); /* the same settings once more: somebody wants them carried out */
	AWAIT(edge_is_asked_again);
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
		TEST(what_is_logged_changes_nothing_else),
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
	};

	return cmocka_run_group_tests(tests, make_identities, drop_identities);
}
