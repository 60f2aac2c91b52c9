#include "provision/tunnels.h"

#include "base/alloc.h"
#include "net/conn.h"
#include "net/ssh.h"
#include "provision/documents.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define LINK_PIN "1111111111111111111111111111111111111111111111111111111111111111"
#define NODES_MAX 4
#define REQUESTS_MAX 128
#define WAIT_MS 15000

struct row { /* of `nodes` */
	char name[64], role[8], link[64], link_pin[65], address[64], ssh_pin[65];
};

struct side {
	const char *name, *role;
	char *key, pin[65], address[64];
	struct tunnels *tunnels;
	struct row rows[NODES_MAX];
	char *requests[REQUESTS_MAX]; /* "author|verb|argument..." */
	uint64_t tags[REQUESTS_MAX];
	size_t requests_count, answered;
	struct timer answer;
	const char *refuses, *refusal; /* this verb is */
	const char *ignores;	       /* this one is not answered */
	uint64_t generation, revision;
	const char *domains[4]; /* of a core */
	const char *fingerprint, *certificate;
	bool federated, silent; /* silent: control answers later */
	struct buffer joined;	/* "done TEXT|" */
	struct buffer heard, replies;
	size_t replies_count;
	uint64_t number; /* of the last question */
	unsigned silence_s, pairing_s;
};

static struct loop *loop;
static struct side core, edge, home;

/* Settings, as control would keep them */

static void add(struct buffer *out, const char *const *fields)
{
	struct snapshot_record record = { 0 };

	while (*fields)
		record.fields[record.count++] = slice_of(*fields++);
	snapshot_add(out, &record);
}
#define ADD(out, ...) add(out, (const char *const[]){ __VA_ARGS__, NULL })

static void apply(struct side *side)
{
	struct buffer out = { 0 };
	struct snapshot *snapshot;
	const char *why;
	int fd;

	snapshot_begin(&out, ++side->generation, ++side->revision);
	snapshot_add_text(&out, "node.name", side->name);
	snapshot_add_text(&out, "node.role", side->role);
	snapshot_add_text(&out, "node.pin", LINK_PIN);
	snapshot_add_text(&out, "ssh.private_key", side->key);
	snapshot_add_int(&out, "timeouts.ssh_silence", side->silence_s);
	snapshot_add_int(&out, "timeouts.pairing", side->pairing_s);
	if (strcmp(side->role, "edge") == 0) {
		snapshot_add_text(&out, "federation.enabled", side->federated ? "on" : "off");
		snapshot_add_text(&out, DOCUMENTS_FINGERPRINT, side->fingerprint);
	}
	if (side->certificate)
		snapshot_add_text(&out, "axl.certificate", side->certificate);
	for (size_t i = 0; i < nitems(side->domains) && side->domains[i]; i++)
		ADD(&out, "domains", side->domains[i], "on", "home-a");
	if (strcmp(side->role, "core") == 0)
		ADD(&out, "edges", "edge-b", "3", "on", "99999999");
	for (struct row *row = side->rows; row < side->rows + NODES_MAX; row++) {
		if (row->name[0])
			ADD(&out, "nodes", row->name, row->role, row->link, row->link_pin,
			    row->address, row->ssh_pin);
	}
	fd = snapshot_seal(&out, &why);
	assert_true(fd >= 0);
	snapshot = snapshot_open(fd, &why);
	close(fd);
	assert_true(tunnels_apply(side->tunnels, &snapshot, &why));
	assert_null(snapshot);
}

static struct row *row_of(struct side *side, const char *name)
{
	struct row *empty = NULL;

	for (struct row *row = side->rows; row < side->rows + NODES_MAX; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
		if (!row->name[0] && !empty)
			empty = row;
	}
	return empty;
}

static void pair_row(struct side *side, const char *const *words)
{
	struct row *row = row_of(side, words[1]);

	snprintf(row->name, sizeof(row->name), "%s", words[1]);
	snprintf(row->role, sizeof(row->role), "%s", words[2]);
	snprintf(row->link, sizeof(row->link), "%s", words[3]);
	snprintf(row->link_pin, sizeof(row->link_pin), "%s", words[4]);
	snprintf(row->address, sizeof(row->address), "%s", words[5]);
	snprintf(row->ssh_pin, sizeof(row->ssh_pin), "%s", words[6]);
}

static void remove_row(struct side *side, const char *name)
{
	memset(row_of(side, name), 0, sizeof(struct row));
}

/* The control of a side */

static void ask(void *arg, uint64_t tag, const char *author, const char *const *words)
{
	struct side *side = arg;
	struct buffer text = { 0 };

	assert_true(side->requests_count < REQUESTS_MAX);
	buffer_append_text(&text, author);
	for (size_t i = 0; words[i]; i++)
		buffer_printf(&text, "|%s", words[i]);
	side->tags[side->requests_count] = tag;
	side->requests[side->requests_count++] = buffer_take_text(&text);
	if (strcmp(words[0], "node-pair") == 0 &&
	    !(side->refuses && strcmp(side->refuses, words[0]) == 0))
		pair_row(side, words);
	if (strcmp(words[0], "node-remove") == 0)
		remove_row(side, words[1]);
	loop_arm(loop, &side->answer, 0);
}

static bool is_verb(const char *request, const char *verb)
{
	return verb && strstr(request, verb) != NULL;
}

static void on_answer(struct timer *timer)
{
	struct side *side = (void *)((char *)timer - offsetof(struct side, answer));

	while (side->answered < side->requests_count && !side->silent) {
		size_t i = side->answered++;
		const char *request = side->requests[i];

		if (is_verb(request, side->ignores))
			continue;
		if (is_verb(request, side->refuses)) {
			tunnels_answer(side->tunnels, side->tags[i], false, side->refusal);
			continue;
		}
		tunnels_answer(side->tunnels, side->tags[i], true, "");
		if (is_verb(request, "node-pair") || is_verb(request, "node-remove"))
			apply(side);
	}
}

/* The sides */

static char *make_key(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	EVP_PKEY_free(key);
	return text;
}

static void hear(void *arg, const char *from, const char *role, uint64_t number,
		 const char *const *words, size_t count);

static void open_tunnels(struct side *side)
{
	side->tunnels = tunnels_create(&(struct tunnels_config){
		.loop = loop, .release = "0.1.0", .ask = ask, .asked = hear, .arg = side });
	side->answer.fire = on_answer;
}

static void listen_on(struct side *side, const char *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct conn_address own = { .len = sizeof(own.storage) };
	uint16_t port = 0;

	if (address[0])
		port = (uint16_t)atoi(strrchr(address, ':') + 1);
	assert_true(conn_address_parse(&own, "127.0.0.1", port));
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&own.storage, own.len), 0);
	assert_int_equal(listen(fd, 16), 0);
	own.len = sizeof(own.storage);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own.storage, &own.len), 0);
	conn_address_text(&own, side->address);
	tunnels_listen(side->tunnels, fd);
}

static void begin_side(struct side *side, const char *name, const char *role)
{
	struct ssh_identity *identity;
	const char *why;

	*side = (struct side){ .name = name,
			       .role = role,
			       .key = make_key(),
			       .fingerprint = "1a2b3c4d",
			       .silence_s = 15,
			       .pairing_s = 900 };
	identity = ssh_identity_create(slice_of(side->key), &why);
	assert_non_null(identity);
	snprintf(side->pin, sizeof(side->pin), "%s", ssh_identity_pin(identity));
	ssh_identity_destroy(&identity);
	open_tunnels(side);
	if (strcmp(role, "core") != 0)
		listen_on(side, "");
}

static void finish_side(struct side *side)
{
	tunnels_destroy(&side->tunnels);
	loop_disarm(loop, &side->answer);
	for (size_t i = 0; i < side->requests_count; i++)
		free(side->requests[i]);
	buffer_finish(&side->joined);
	buffer_finish(&side->heard);
	buffer_finish(&side->replies);
	free(side->key);
}

static int set_up(void **state)
{
	loop = loop_create();
	begin_side(&core, "core-a", "core");
	begin_side(&edge, "edge-a", "edge");
	begin_side(&home, "home-a", "home");
	apply(&core);
	apply(&edge);
	apply(&home);
	return 0;
}

static int tear_down(void **state)
{
	finish_side(&core);
	finish_side(&edge);
	finish_side(&home);
	loop_destroy(&loop);
	return 0;
}

/* They know each other, without having been paired here. */
static void introduce(struct side *dialled)
{
	pair_row(&core, (const char *const[]){ "", dialled->name, dialled->role, "127.0.0.1:7400",
					       LINK_PIN, dialled->address, dialled->pin });
	pair_row(dialled,
		 (const char *const[]){ "", core.name, core.role, "-", LINK_PIN, "-", core.pin });
	apply(dialled);
	apply(&core);
}

/* Waiting */

static struct {
	bool (*holds)(const void *arg);
	const void *arg;
	uint64_t until_ms;
	bool held;
	struct timer timer;
} wait;

static void on_wait(struct timer *timer)
{
	wait.held = wait.holds(wait.arg);
	if (wait.held || loop_now_ms(loop) >= wait.until_ms)
		loop_stop(loop);
	else
		loop_arm(loop, timer, 5);
}

static bool comes(bool (*holds)(const void *arg), const void *arg)
{
	wait.holds = holds;
	wait.arg = arg;
	wait.timer.fire = on_wait;
	loop_arm(loop, &wait.timer, 0);
	wait.until_ms = loop_now_ms(loop) + WAIT_MS;
	loop_run(loop);
	return wait.held;
}

/* The records of the status, as text: fields with a bar behind each, a line for each record. */
static char *status_of(const struct side *side)
{
	struct buffer out = { 0 }, text = { 0 };
	struct snapshot_record record;
	struct snapshot *snapshot;
	size_t place = 0;
	const char *why;

	snapshot_begin(&out, 1, 1);
	tunnels_status(side->tunnels, &out);
	snapshot = snapshot_read((struct slice){ buffer_data(&out), buffer_len(&out) }, &why);
	assert_non_null(snapshot);
	while (snapshot_next(snapshot, &place, &record)) {
		for (size_t i = 0; i < record.count; i++)
			buffer_printf(&text, "%.*s|", SLICE_ARGS(record.fields[i]));
		buffer_append_text(&text, "\n");
	}
	snapshot_destroy(&snapshot);
	buffer_finish(&out);
	return buffer_take_text(&text);
}

struct in_status {
	const struct side *side;
	const char *text;
	bool absent;
};

static bool status_has(const void *arg)
{
	const struct in_status *in = arg;
	char *status = status_of(in->side);
	bool has = (strstr(status, in->text) != NULL) != in->absent;

	free(status);
	return has;
}
#define STATUS(side, text) comes(status_has, &(struct in_status){ &(side), text })

struct asked {
	const struct side *side;
	const char *request;
};

static bool was_asked(const void *arg)
{
	const struct asked *asked = arg;

	for (size_t i = 0; i < asked->side->requests_count; i++) {
		if (strstr(asked->side->requests[i], asked->request))
			return true;
	}
	return false;
}
#define ASKED(side, text) comes(was_asked, &(struct asked){ &(side), text })

static size_t count_asked(const struct side *side, const char *text)
{
	size_t count = 0;

	for (size_t i = 0; i < side->requests_count; i++)
		count += strstr(side->requests[i], text) != NULL;
	return count;
}

static bool is_over(const void *arg)
{
	return loop_now_ms(loop) >= *(const uint64_t *)arg;
}

static void turn_for(unsigned ms)
{
	uint64_t until = loop_now_ms(loop) + ms;

	assert_true(comes(is_over, &until));
}

static bool has_joined(const void *arg)
{
	return buffer_len(&((const struct side *)arg)->joined) > 0;
}

static void on_joined(void *arg, uint64_t session, bool done, const char *text)
{
	struct side *side = arg;

	assert_int_equal(session, 7);
	buffer_printf(&side->joined, "%s: %s", done ? "done" : "failed", text);
}

/* What join said; the caller's. */
static char *join(struct side *side, const char *code)
{
	tunnels_join(side->tunnels, code, 7, on_joined, side);
	assert_int_equal(buffer_len(&side->joined), 0); /* never from inside */
	assert_true(comes(has_joined, side));
	return buffer_take_text(&side->joined);
}

static char *issue(struct side *side)
{
	char *text, *end;

	assert_true(tunnels_pair(side->tunnels, NULL, 0, &text));
	end = strchr(text, '\n');
	assert_non_null(end);
	*end = '\0';
	return text;
}

static void join_says(struct side *side, const char *code, const char *text)
{
	char *said = join(side, code);

	if (!strstr(said, text))
		fail_msg("'%s' is not in: %s", text, said);
	free(said);
}

/* Tests */

static void a_code_pairs_a_core_with_an_edge(void **state)
{
	char *code = issue(&edge), *expected;

	join_says(&core, code,
		  "done: core-a and edge-a know each other now. Entered here: node "
		  "edge-a, role edge, link at 127.0.0.1:7400");
	expected = xasprintf("pairing|node-pair|edge-a|edge|127.0.0.1:7400|" LINK_PIN "|%s|%s",
			     edge.address, edge.pin);
	assert_string_equal(core.requests[0], expected);
	free(expected);
	expected = xasprintf("pairing|node-pair|core-a|core|-|" LINK_PIN "|-|%s", core.pin);
	assert_string_equal(edge.requests[0], expected);
	free(expected);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|out|"));
	assert_true(STATUS(edge, "tunnel|core-a|core|up|in|"));
	join_says(&core, code,
		  "failed: the code is wrong, used or too old: ask for a new one with "
		  "sallyport pair on edge-a");
	free(code);
	code = issue(&edge);
	join_says(&core, code, "They were paired before: the keys are replaced.");
	free(code);
}

static char *make_certificate(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	X509 *certificate = X509_new();
	char *data, *text;
	long len;

	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	assert_true(X509_sign(certificate, key, NULL) > 0);
	assert_int_equal(PEM_write_bio_X509(bio, certificate), 1);
	len = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	X509_free(certificate);
	EVP_PKEY_free(key);
	return text;
}

static void a_home_node_with_axl_gives_the_core_a_user_of_its_own(void **state)
{
	char *certificate = make_certificate(), *code, *put;
	char password[33], pin[65];

	home.certificate = certificate;
	apply(&home);
	code = issue(&home);
	join_says(&core, code,
		  "home server home-a, port 8443, user core-a, its certificate pinned");
	assert_int_equal(
		sscanf(home.requests[1], "pairing|axl-user-put|core-a|%32[0-9a-f]|axl", password),
		1);
	assert_non_null(strstr(home.requests[0], "pairing|node-pair|core-a|core|-|"));
	assert_non_null(strstr(core.requests[0], "pairing|node-pair|home-a|home|127.0.0.1:7400|"));
	put = xasprintf("pairing|home-server-put|home-a|127.0.0.1|8443|core-a|%s|pin|", password);
	assert_int_equal(strncmp(core.requests[1], put, strlen(put)), 0);
	assert_int_equal(sscanf(core.requests[1] + strlen(put), "%64[0-9a-f]", pin), 1);
	assert_int_equal(strlen(pin), 64);
	free(put);
	free(code);
	free(certificate);
}

static void a_pairing_that_fails_leaves_no_account(void **state)
{
	char *certificate = make_certificate(), *code;

	home.certificate = certificate;
	apply(&home);
	code = issue(&home);
	home.refuses = "node-pair";
	home.refusal = "the disk is full";
	join_says(&core, code, "home-a cannot store the pairing: the disk is full");
	assert_int_equal(count_asked(&home, "axl-user-put"), 0);
	home.refuses = "axl-user-put";
	join_says(&core, code, "home-a cannot store the pairing: the disk is full");
	assert_true(ASKED(home, "pairing|node-remove|core-a"));
	turn_for(100); /* the good-byes */
	free(code);
	free(certificate);
}

static void a_code_that_is_wrong_five_times_is_void(void **state)
{
	char *code = issue(&edge), *wrong = xstrdup(code);
	size_t at = strlen(wrong) - 2;

	wrong[at] = wrong[at] == 'a' ? 'b' : 'a';
	for (int i = 0; i < 5; i++)
		join_says(&core, wrong, "failed: the code is wrong, used or too old");
	join_says(&core, code, "failed: the code is wrong, used or too old");
	assert_int_equal(core.requests_count, 0);
	assert_int_equal(edge.requests_count, 0);
	free(wrong);
	free(code);
}

static void a_new_code_voids_the_one_before(void **state)
{
	char *first = issue(&edge), *second = issue(&edge);

	join_says(&core, first, "failed: the code is wrong, used or too old");
	join_says(&core, second, "done: ");
	free(first);
	free(second);
}

static void a_code_expires(void **state)
{
	char *code;

	edge.pairing_s = 1; /* less than a person may set */
	apply(&edge);
	code = issue(&edge);
	turn_for(1100);
	join_says(&core, code, "failed: the code is wrong, used or too old");
	free(code);
}

static void who_cannot_be_joined_is_told_why(void **state)
{
	char *code = issue(&edge), *at = strchr(code, '@'), *other;

	join_says(&core, "edge-a@127.0.0.1:2222/x", "failed: the code is cut off or changed");
	join_says(&home, code, "failed: home-a is a node of role home: join runs on a core");
	other = xasprintf("edge-x%s", at);
	join_says(&core, other, "failed: the code is of edge-x, but edge-a answered");
	free(other);
	other = xasprintf("edge-a@127.0.0.1:1%s", strchr(code, '/'));
	join_says(&core, other, "failed: edge-a cannot be reached at 127.0.0.1:1: ");
	free(other);
	other = xasprintf("edge-a@%s%s", home.address, strchr(code, '/'));
	join_says(&core, other, "differs from the one in the code");
	free(other);
	free(code);
	assert_int_equal(core.requests_count, 0);
}

static void what_the_other_cannot_store_is_taken_back(void **state)
{
	char *code = issue(&edge);

	edge.refuses = "node-pair";
	edge.refusal = "the disk is full";
	join_says(&core, code,
		  "failed: the other node refuses: edge-a cannot store the pairing: "
		  "the disk is full");
	assert_true(ASKED(core, "pairing|node-remove|edge-a"));
	edge.refuses = NULL;
	core.refuses = "node-pair";
	core.refusal = "no room";
	join_says(&core, code, "failed: core-a cannot store the pairing: no room");
	core.refuses = NULL;
	join_says(&core, code, "done: "); /* the code was not used up */
	free(code);
}

static void who_was_paired_before_is_not_taken_back(void **state)
{
	char *code = issue(&edge);

	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|out|"));
	edge.refuses = "node-pair";
	edge.refusal = "the disk is full";
	join_says(&core, code,
		  "edge-a cannot store the pairing: the disk is full. They were paired before: "
		  "edge-a stays entered here");
	turn_for(100);
	assert_int_equal(count_asked(&core, "node-remove"), 0);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|out|"));
	free(code);
}

static void pair_says_what_it_wants(void **state)
{
	static const char *const rows[][2] = {
		{ "address=example.net:1", "is wanted" }, { "link=7400", "is wanted" },
		{ "for=9", "between 10 and 86400" },	  { "for=1x", "between 10 and 86400" },
		{ "axl=0", "a port is wanted" },	  { "help", "what pair takes is" },
	};
	char *text;

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_false(tunnels_pair(edge.tunnels, rows[i], 1, &text));
		assert_non_null(strstr(text, rows[i][1]));
		free(text);
	}
	assert_false(tunnels_pair(core.tunnels, NULL, 0, &text));
	assert_non_null(strstr(text, "nobody dials a core"));
	free(text);
	assert_true(tunnels_pair(edge.tunnels,
				 (const char *const[]){ "address=[2001:db8::1]:22", "for=60" }, 2,
				 &text));
	assert_non_null(strstr(text, "edge-a@[2001:db8::1]:22/"));
	assert_non_null(strstr(text, "for 60 seconds"));
	free(text);
}

static void settings_go_both_ways_and_are_acknowledged(void **state)
{
	core.domains[0] = "a.example";
	edge.federated = true;
	introduce(&edge);
	assert_true(ASKED(core, "edge-a|edge-told|edge-a|2|on|1a2b3c4d"));
	assert_true(ASKED(edge, "core-a|domains-told|core-a|2|a.example on"));
	assert_true(STATUS(core, "|2|2|2|")); /* ours, acknowledged, theirs */
	assert_true(STATUS(edge, "|2|2|2|"));
	assert_true(STATUS(edge, "secret|edge-b|99999999|"));
	apply(&core); /* nothing that the edge is told has changed */
	core.domains[1] = "b.example";
	apply(&core);
	assert_true(ASKED(edge, "core-a|domains-told|core-a|4|a.example on|b.example on"));
	assert_int_equal(edge.requests_count, 2);
}

static void a_change_while_the_tunnel_is_down_arrives_afterwards(void **state)
{
	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	assert_true(STATUS(core, "|2|2|2|"));
	tunnels_destroy(&edge.tunnels);
	assert_true(
		comes(status_has, &(struct in_status){ &core, "tunnel|edge-a|edge|up|", true }));
	core.domains[0] = "c.example";
	apply(&core);
	open_tunnels(&edge);
	listen_on(&edge, edge.address);
	edge.federated = true;
	apply(&edge);
	assert_true(ASKED(edge, "core-a|domains-told|core-a|3|c.example on"));
	assert_true(ASKED(core, "edge-a|edge-told|edge-a|3|on|"));
	assert_true(STATUS(core, "|3|3|3|"));
}

static void a_listener_that_comes_after_the_settings_is_served(void **state)
{
	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	tunnels_destroy(&edge.tunnels);
	assert_true(
		comes(status_has, &(struct in_status){ &core, "tunnel|edge-a|edge|up|", true }));
	open_tunnels(&edge);
	apply(&edge);
	listen_on(&edge, edge.address);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
}

static void a_node_that_is_removed_loses_its_tunnel(void **state)
{
	introduce(&edge);
	assert_true(STATUS(edge, "tunnel|core-a|core|up|"));
	remove_row(&edge, "core-a");
	apply(&edge);
	assert_true(status_has(&(struct in_status){ &edge, "tunnel|", true }));
	assert_true(STATUS(core, "tunnel|edge-a|edge|down|"));
}

static void a_strangers_key_is_not_taken(void **state)
{
	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	snprintf(row_of(&edge, "core-a")->ssh_pin, 65, "%s", home.pin);
	apply(&edge);
	assert_true(STATUS(core, ssh_end_name(SSH_END_LOGIN)));
	assert_true(STATUS(edge, "tunnel|core-a|core|down|in|"));
	snprintf(row_of(&core, "edge-a")->ssh_pin, 65, "%s", home.pin);
	apply(&core);
	assert_true(STATUS(core, ssh_end_name(SSH_END_HOST_KEY)));
}

static void settings_that_control_refuses_are_seen_on_both_sides(void **state)
{
	core.refuses = "edge-told";
	core.refusal = "no such edge";
	introduce(&edge);
	assert_true(STATUS(edge, "refuses our settings: no such edge"));
	assert_true(STATUS(core, "its settings are refused: no such edge"));
	assert_true(STATUS(edge, "|2|0|2|"));
	core.refuses = NULL;
	edge.federated = true;
	apply(&edge);
	assert_true(STATUS(edge, "|3|3|2|"));
	assert_true(comes(status_has, &(struct in_status){ &edge, "refuses our settings", true }));
}

static void one_question_at_a_time_and_then_the_newest(void **state)
{
	core.silent = true;
	introduce(&edge);
	assert_true(ASKED(core, "edge-told|edge-a|2|off|"));
	for (int i = 0; i < 20; i++) {
		edge.federated = !edge.federated;
		apply(&edge);
	}
	edge.fingerprint = "5e6f7a8b";
	apply(&edge);
	assert_true(STATUS(edge, "tunnel|core-a|core|up|in|"));
	turn_for(500);
	assert_int_equal(count_asked(&core, "edge-told"), 1);
	core.silent = false;
	loop_arm(loop, &core.answer, 0);
	assert_true(ASKED(core, "edge-told|edge-a|23|off|5e6f7a8b"));
	assert_int_equal(count_asked(&core, "edge-told"), 2);
	assert_true(STATUS(edge, "|23|23|2|"));
}

static void who_changes_without_end_is_heard_ever_more_rarely(void **state)
{
	introduce(&edge);
	assert_true(STATUS(edge, "|2|2|2|"));
	for (int i = 0; i < 100; i++) {
		edge.federated = !edge.federated;
		apply(&edge);
		turn_for(20);
	}
	assert_in_range(count_asked(&core, "edge-told"), 2, 5);
	edge.fingerprint = "5e6f7a8b";
	apply(&edge);
	assert_true(ASKED(core, "5e6f7a8b"));
}

static bool others_have(const void *arg)
{
	const struct in_status *in = arg;
	json_t *others = tunnels_others(in->side->tunnels);
	char *text = json_dumps(others, JSON_COMPACT | JSON_SORT_KEYS);
	bool has = strcmp(text, in->text) == 0;

	free(text);
	json_decref(others);
	return has;
}

static void report(struct side *side, int number)
{
	json_t *status = json_pack("{s:i}", "number", number);

	tunnels_report(side->tunnels, status);
	json_decref(status);
}

static void each_node_knows_the_newest_status_of_the_others(void **state)
{
	report(&edge, 1);
	introduce(&edge);
	introduce(&home);
	report(&home, 3);
	assert_true(
		comes(others_have,
		      &(struct in_status){
			      &core, "{\"edge-a\":{\"number\":1},\"home-a\":{\"number\":3}}" }));
	report(&edge, 2);
	report(&core, 9);
	assert_true(
		comes(others_have,
		      &(struct in_status){
			      &core, "{\"edge-a\":{\"number\":2},\"home-a\":{\"number\":3}}" }));
	assert_true(
		comes(others_have, &(struct in_status){ &edge, "{\"core-a\":{\"number\":9}}" }));
	assert_true(STATUS(home, "tunnel|core-a|core|up|in|"));
}

/* The last field of the only record: empty until a ping was answered, then a small number. */
static bool skew_is_small(const void *arg)
{
	char *status = status_of(arg), *last = status + strlen(status);
	bool is = false;

	if (last - status > 3) {
		last[-2] = '\0';
		last = strrchr(status, '|') + 1;
		is = last[0] && labs(strtol(last, NULL, 10)) < 1000;
	}
	free(status);
	return is;
}

/* What a side was asked and what became of its own questions. */
static void hear(void *arg, const char *from, const char *role, uint64_t number,
		 const char *const *words, size_t count)
{
	struct side *side = arg;
	json_t *data = json_pack("{s:s}", "of", side->name);

	buffer_printf(&side->heard, "%s(%s)", from, role);
	for (size_t i = 0; i < count; i++)
		buffer_printf(&side->heard, " %s", words[i]);
	side->number = number;
	if (!side->silent)
		tunnels_reply(side->tunnels, number, 1, "two findings", data);
	json_decref(data);
}

static void on_reply(void *arg, uint64_t tag, const struct tunnels_reply *reply)
{
	char *data = reply->data ? json_dumps(reply->data, JSON_COMPACT) : NULL;
	struct side *side = arg;

	buffer_printf(&side->replies, "%d:%s:%u:%s%s|", (int)tag, reply->node, reply->status,
		      reply->why ? reply->why : reply->text, data ? data : "");
	side->replies_count++;
	free(data);
}

static bool has_two_replies(const void *arg)
{
	return ((const struct side *)arg)->replies_count >= 2;
}

static bool has_heard(const void *arg)
{
	return ((const struct side *)arg)->number != 0;
}

static const char *const question[] = { "doctor", "here" };

static void ask_node(const char *node, unsigned timeout_ms, uint64_t tag)
{
	tunnels_ask(core.tunnels, node, question, 2, timeout_ms, tag, on_reply, &core);
}

static void a_question_is_answered_or_it_is_said_why_not(void **state)
{
	char *text;
	json_t *nodes;

	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	nodes = tunnels_reachable(core.tunnels);
	assert_int_equal(json_array_size(nodes), 1);
	json_decref(nodes);
	ask_node("edge-b", 5000, 1);
	ask_node("edge-a", 5000, 2);
	assert_true(comes(has_two_replies, &core));
	text = buffer_take_text(&core.replies);
	assert_string_equal(text, "1:edge-b:0:edge-b: no such node is paired|"
				  "2:edge-a:1:two findings{\"of\":\"edge-a\"}|");
	free(text);
	text = buffer_take_text(&edge.heard);
	assert_string_equal(text, "core-a(core) doctor here");
	free(text);
}

static void a_question_that_is_not_answered_has_its_end(void **state)
{
	char *text;

	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	edge.silent = true;
	ask_node("edge-a", 5000, 2);
	ask_node("edge-a", 20, 1);
	assert_true(comes(has_heard, &edge));
	core.replies_count++;
	assert_true(comes(has_two_replies, &core));
	tunnels_destroy(&edge.tunnels);
	core.replies_count = 1;
	assert_true(comes(has_two_replies, &core));
	text = buffer_take_text(&core.replies);
	assert_string_equal(text, "1:edge-a:0:edge-a: it did not answer in time|"
				  "2:edge-a:0:edge-a: the tunnel went down|");
	free(text);
}

static void clocks_are_compared_as_soon_as_the_tunnel_is_up(void **state)
{
	introduce(&edge);
	assert_true(comes(skew_is_small, &core));
}

static void a_silent_control_is_an_answer(void **state)
{
	core.ignores = "edge-told";
	introduce(&edge);
	assert_true(STATUS(edge, "refuses our settings: control does not answer"));
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
}

static void two_cannot_use_one_code_at_the_same_time(void **state)
{
	char *code = issue(&edge);
	struct side second;

	begin_side(&second, "core-b", "core");
	apply(&second);
	edge.ignores = "node-pair"; /* the first is not done before the second comes */
	tunnels_join(core.tunnels, code, 7, on_joined, &core);
	assert_true(ASKED(edge, "pairing|node-pair|core-a"));
	join_says(&second, code, "failed: the other node refuses: somebody else is using the code");
	assert_true(comes(has_joined, &core)); /* control does not answer */
	assert_int_equal(second.requests_count, 0);
	finish_side(&second);
	free(code);
}

static void a_second_tunnel_of_a_node_replaces_the_first(void **state)
{
	struct side twin;

	introduce(&edge);
	assert_true(STATUS(core, "tunnel|edge-a|edge|up|"));
	begin_side(&twin, "core-a", "core");
	free(twin.key);
	twin.key = xstrdup(core.key);
	twin.rows[0] = core.rows[0];
	apply(&twin);
	assert_true(
		comes(status_has, &(struct in_status){ &core, "tunnel|edge-a|edge|up|", true }));
	finish_side(&twin);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_code_pairs_a_core_with_an_edge),
		TEST(a_home_node_with_axl_gives_the_core_a_user_of_its_own),
		TEST(a_pairing_that_fails_leaves_no_account),
		TEST(a_code_that_is_wrong_five_times_is_void),
		TEST(a_new_code_voids_the_one_before),
		TEST(a_code_expires),
		TEST(who_cannot_be_joined_is_told_why),
		TEST(what_the_other_cannot_store_is_taken_back),
		TEST(who_was_paired_before_is_not_taken_back),
		TEST(pair_says_what_it_wants),
		TEST(settings_go_both_ways_and_are_acknowledged),
		TEST(a_change_while_the_tunnel_is_down_arrives_afterwards),
		TEST(a_listener_that_comes_after_the_settings_is_served),
		TEST(a_node_that_is_removed_loses_its_tunnel),
		TEST(a_strangers_key_is_not_taken),
		TEST(settings_that_control_refuses_are_seen_on_both_sides),
		TEST(one_question_at_a_time_and_then_the_newest),
		TEST(who_changes_without_end_is_heard_ever_more_rarely),
		TEST(each_node_knows_the_newest_status_of_the_others),
		TEST(a_question_is_answered_or_it_is_said_why_not),
		TEST(a_question_that_is_not_answered_has_its_end),
		TEST(clocks_are_compared_as_soon_as_the_tunnel_is_up),
		TEST(a_silent_control_is_an_answer),
		TEST(two_cannot_use_one_code_at_the_same_time),
		TEST(a_second_tunnel_of_a_node_replaces_the_first),
	};

	alarm(120);
	if (!ssh_prepare())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
