#include "net/conn.h"
#include "net/tls.h"

#include "base/alloc.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

static struct loop *loop;

/* One end: keeps what it got, closes when told so by its peer's bytes. */
struct end {
	struct conn *conn;
	struct buffer got;
	bool connected, secured, ended;
	enum conn_end how;
	const struct tls *tls; /* turn to TLS when "starttls" (accepting) or "proceed" comes */
	bool accepting;
	size_t echo_until; /* stop the loop when that many bytes are here */
	bool pauses;	   /* at the next bytes, for a moment */
	struct timer rest;
	char why[64];
};

static void connected(void *owner)
{
	struct end *e = owner;

	e->connected = true;
	buffer_append_text(conn_out(e->conn), "starttls");
	conn_flush(e->conn);
}

static char *room(void *owner, size_t *len)
{
	return buffer_reserve(&((struct end *)owner)->got, *len);
}

static void filled(void *owner, size_t len)
{
	struct end *e = owner;

	buffer_filled(&e->got, len);
	if (e->tls && buffer_len(&e->got) >= 7 && !e->secured) {
		buffer_finish(&e->got);
		if (e->accepting)
			buffer_append_text(conn_out(e->conn), "proceed");
		conn_start_tls(e->conn,
			       e->accepting ? tls_accepting(e->tls, NULL)
					    : tls_dialling(e->tls, "a.example"),
			       2000);
	}
	if (e->pauses) {
		e->pauses = false;
		conn_pause(e->conn, true);
		loop_arm(loop, &e->rest, 10);
	}
	if (e->echo_until && buffer_len(&e->got) >= e->echo_until)
		loop_stop(loop);
}

static void secured(void *owner)
{
	struct end *e = owner;
	char *big;

	e->secured = true;
	if (e->accepting)
		return;
	big = xcalloc(1, 300000);
	buffer_append(conn_out(e->conn), big, 300000);
	conn_flush(e->conn);
	free(big);
}

static void ended(void *owner, enum conn_end how, const char *why)
{
	struct end *e = owner;

	e->ended = true;
	e->how = how;
	snprintf(e->why, sizeof(e->why), "%s", why);
	conn_destroy(&e->conn);
	loop_stop(loop);
}

static const struct conn_handler handler = { connected, room, filled, secured, ended };
static struct end server, client;

static void accepted(void *owner, int fd, const struct conn_address *from)
{
	server.conn = conn_accept(loop, fd, &handler, &server);
}

static void make_certificate(char **certificate, char **key)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *out = BIO_new(BIO_s_mem());
	X509_EXTENSION *name =
		X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:a.example");
	char *text;
	long len;

	X509_gmtime_adj(X509_getm_notBefore(x), -60);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pair);
	X509_add_ext(x, name, -1);
	X509_EXTENSION_free(name);
	X509_sign(x, pair, EVP_sha256());
	PEM_write_bio_X509(out, x);
	len = BIO_get_mem_data(out, &text);
	*certificate = xstrndup(text, (size_t)len);
	BIO_free(out);
	out = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL);
	len = BIO_get_mem_data(out, &text);
	*key = xstrndup(text, (size_t)len);
	BIO_free(out);
	X509_free(x);
	EVP_PKEY_free(pair);
}

static int listening(struct conn_address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	conn_address_parse(address, "127.0.0.1", 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address->storage, address->len), 0);
	assert_int_equal(listen(fd, 5), 0);
	getsockname(fd, (struct sockaddr *)&address->storage, &address->len);
	return fd;
}

static void a_connection_turns_to_tls_and_carries_bytes_in_full(void **state)
{
	struct conn_address address;
	int fd = listening(&address);
	struct listener *listener;
	const char *why = NULL;
	char *certificate, *key, pin[TLS_PIN_LEN + 1];
	struct tls_peer peer;
	struct tls *tls;

	make_certificate(&certificate, &key);
	tls = tls_create_stream(slice_of(certificate), slice_of(key), slice_of(certificate), &why);
	assert_null(why);
	loop = loop_create();
	server = (struct end){ .tls = tls, .accepting = true, .echo_until = 300000 };
	client = (struct end){ .tls = tls };
	listener = listener_create(loop, fd, accepted, NULL);
	client.conn = conn_dial(loop, &address, 2000, &handler, &client);
	loop_run(loop);
	assert_true(client.secured && server.secured);
	assert_int_equal(buffer_len(&server.got), 300000);
	assert_int_equal(conn_appended(client.conn), 8 + 300000);

	tls_judge(conn_tls(client.conn), "a.example", &peer);
	assert_true(peer.has_certificate && peer.chain_valid && peer.name_valid);
	tls_judge(conn_tls(server.conn), NULL, &peer);
	assert_true(peer.has_certificate && peer.chain_valid && !peer.why);
	tls_judge(conn_tls(client.conn), "b.example", &peer);
	assert_true(!peer.name_valid && peer.why);
	assert_true(tls_peer_pin(conn_tls(client.conn), pin));
	assert_int_equal(strlen(pin), TLS_PIN_LEN);

	/* Closing in order: what was appended still arrives, then the end. */
	buffer_append_text(conn_out(client.conn), "bye");
	conn_finish(&client.conn, 2000);
	server.echo_until = 0;
	loop_run(loop);
	assert_true(server.ended);
	assert_int_equal(server.how, CONN_EOF);
	assert_int_equal(buffer_len(&server.got), 300003);

	buffer_finish(&server.got);
	buffer_finish(&client.got);
	listener_destroy(&listener);
	close(fd);
	tls_destroy(&tls);
	loop_destroy(&loop);
	free(certificate);
	free(key);
}

static struct tls *make_tls(void)
{
	const char *why = NULL;
	char *certificate, *key;
	struct tls *tls;

	make_certificate(&certificate, &key);
	tls = tls_create_stream(slice_of(certificate), slice_of(key), slice_of(certificate), &why);
	assert_non_null(tls);
	free(certificate);
	free(key);
	return tls;
}

static void a_pair(int fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
			 0);
}

static void a_handshake_that_the_peer_leaves_open_ends_in_time(void **state)
{
	struct tls *tls = make_tls();
	int fds[2];

	for (int dials = 0; dials < 2; dials++) {
		a_pair(fds);
		loop = loop_create();
		client = (struct end){ .accepting = true };
		client.conn = conn_accept(loop, fds[0], &handler, &client);
		conn_start_tls(client.conn,
			       dials ? tls_dialling(tls, NULL) : tls_accepting(tls, NULL), 30);
		loop_run(loop);
		assert_int_equal(client.how, CONN_TLS_FAILED);
		assert_string_equal(client.why, "no TLS handshake in time");
		loop_destroy(&loop);
		close(fds[1]);
	}
	tls_destroy(&tls);
}

static void what_is_appended_after_tls_was_begun_never_goes_in_clear(void **state)
{
	struct tls *tls = make_tls();
	char bytes[4096];
	ssize_t got;
	int fds[2];

	a_pair(fds);
	loop = loop_create();
	client = (struct end){ .accepting = true };
	client.conn = conn_accept(loop, fds[0], &handler, &client);
	buffer_append_text(conn_out(client.conn), "clear");
	conn_start_tls(client.conn, tls_dialling(tls, NULL), 30);
	buffer_append_text(conn_out(client.conn), "secret");
	conn_flush(client.conn);
	loop_run(loop);
	got = read(fds[1], bytes, sizeof(bytes));
	assert_true(got > 6);
	assert_memory_equal(bytes, "clear\x16", 6); /* then a handshake record */
	assert_null(memmem(bytes, (size_t)got, "secret", 6));
	loop_destroy(&loop);
	close(fds[1]);
	tls_destroy(&tls);
}

static void keep_secret(void *arg, const char *line)
{
	buffer_append_text(arg, line);
	buffer_append_text(arg, "\n");
}

/* A whole handshake in memory; frees both. */
static void shake(SSL *accepts, SSL *dials)
{
	BIO *one, *other;

	assert_int_equal(BIO_new_bio_pair(&one, 0, &other, 0), 1);
	SSL_set_bio(accepts, one, one);
	SSL_set_bio(dials, other, other);
	for (int i = 0; i < 20 && !(SSL_is_init_finished(accepts) && SSL_is_init_finished(dials));
	     i++) {
		SSL_do_handshake(dials);
		SSL_do_handshake(accepts);
	}
	assert_true(SSL_is_init_finished(accepts) && SSL_is_init_finished(dials));
	SSL_free(accepts);
	SSL_free(dials);
}

/* Its server was told that `peer` comes, its client dials `name`. */
static void shake_hands(const struct tls *tls, const char *peer, const char *name)
{
	SSL *accepts = tls_accepting(tls, peer);

	shake(accepts, tls_dialling(tls, name));
}

static size_t sessions_told(const struct buffer *told)
{
	size_t count = 0;

	for (size_t i = 0; i + 26 < buffer_len(told); i++)
		count += memcmp(buffer_data(told) + i, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0;
	return count;
}

static void secrets_are_told_only_while_asked_for_and_of_the_peer_asked_for(void **state)
{
	static const struct {
		const char *domain; /* asked for */
		size_t told;	    /* of six ends of sessions */
	} rows[] = { { NULL, 6 }, { "a.example", 2 }, { "other.example", 0 } };
	struct tls *tls = make_tls();
	struct buffer told = { 0 };

	for (size_t i = 0; i < nitems(rows); i++) {
		tls_tell_secrets(keep_secret, &told, rows[i].domain);
		shake_hands(tls, "A.example", "b.example");
		shake_hands(tls, "", "a.example");
		shake_hands(tls, NULL, NULL);
		assert_int_equal(sessions_told(&told), rows[i].told);
		buffer_finish(&told);
	}
	tls_tell_secrets(NULL, NULL, NULL);
	shake_hands(tls, "other.example", "other.example");
	assert_int_equal(buffer_len(&told), 0);
	tls_destroy(&tls);
}

static void a_session_chosen_for_one_capture_tells_nothing_to_the_next(void **state)
{
	struct tls *tls = make_tls();
	struct buffer first = { 0 }, second = { 0 };
	SSL *accepts, *dials;

	tls_tell_secrets(keep_secret, &first, "a.example");
	accepts = tls_accepting(tls, "a.example");
	dials = tls_dialling(tls, "a.example");
	tls_tell_secrets(NULL, NULL, NULL);
	tls_tell_secrets(keep_secret, &second, "b.example");
	shake(accepts, dials);
	assert_int_equal(buffer_len(&first), 0);
	assert_int_equal(buffer_len(&second), 0);
	tls_tell_secrets(NULL, NULL, NULL);
	tls_destroy(&tls);
}

static void unpause(struct timer *timer)
{
	struct end *e = (struct end *)((char *)timer - offsetof(struct end, rest));

	conn_pause(e->conn, false);
}

/* Both ends of a pair, about to shake hands; nobody sends by itself. */
static void tls_pair(const struct tls *accepting, const struct tls *dialling)
{
	int fds[2];

	a_pair(fds);
	server = (struct end){ .accepting = true, .rest.fire = unpause };
	client = (struct end){ .accepting = true };
	server.conn = conn_accept(loop, fds[0], &handler, &server);
	client.conn = conn_accept(loop, fds[1], &handler, &client);
	conn_start_tls(server.conn, tls_accepting(accepting, NULL), 2000);
	conn_start_tls(client.conn, tls_dialling(dialling, NULL), 2000);
}

static void append_zeros(struct end *e, size_t len)
{
	char *bytes = xcalloc(1, len);

	buffer_append(conn_out(e->conn), bytes, len);
	conn_flush(e->conn);
	free(bytes);
}

static void bytes_flushed_during_the_handshake_come_after_it_also_to_who_pauses(void **state)
{
	static const size_t lengths[] = { 6, 20000, 1000000 };
	struct tls *tls = make_tls();

	for (size_t i = 0; i < nitems(lengths); i++) {
		loop = loop_create();
		tls_pair(tls, tls);
		server.pauses = true;
		server.echo_until = lengths[i];
		append_zeros(&client, lengths[i]);
		loop_run(loop);
		assert_int_equal(buffer_len(&server.got), lengths[i]);
		assert_false(server.ended || client.ended);
		conn_destroy(&server.conn);
		conn_destroy(&client.conn);
		buffer_finish(&server.got);
		buffer_finish(&client.got);
		loop_disarm(loop, &server.rest);
		loop_destroy(&loop);
	}
	tls_destroy(&tls);
}

static void a_chain_that_leads_nowhere_is_told_and_does_not_end_the_handshake(void **state)
{
	struct tls *a = make_tls(), *b = make_tls();
	struct tls_peer peer;

	loop = loop_create();
	tls_pair(a, b);
	server.echo_until = 1;
	append_zeros(&client, 1);
	loop_run(loop);
	tls_judge(conn_tls(client.conn), "a.example", &peer);
	assert_true(peer.has_certificate && peer.name_valid);
	assert_false(peer.chain_valid);
	assert_string_equal(peer.why, "self-signed certificate");
	conn_destroy(&server.conn);
	conn_destroy(&client.conn);
	buffer_finish(&server.got);
	buffer_finish(&client.got);
	loop_destroy(&loop);
	tls_destroy(&a);
	tls_destroy(&b);
}

static void a_peer_that_is_gone_is_an_end_and_no_signal(void **state)
{
	struct tls *tls = make_tls();

	loop = loop_create();
	tls_pair(tls, tls);
	server.echo_until = 1;
	append_zeros(&client, 1);
	loop_run(loop);
	conn_destroy(&server.conn);
	append_zeros(&client, 100000);
	loop_run(loop);
	assert_true(client.ended);
	buffer_finish(&server.got);
	buffer_finish(&client.got);
	loop_destroy(&loop);
	tls_destroy(&tls);
}

struct raw {
	struct loop_io io;
	size_t got;
};

static void read_raw(struct loop_io *io, bool readable, bool writable)
{
	char bytes[4096];
	ssize_t got = read(io->fd, bytes, sizeof(bytes));

	if (got > 0)
		((struct raw *)io)->got += (size_t)got;
	else if (got == 0)
		loop_stop(loop);
}

static void a_peer_that_closed_its_half_still_gets_what_was_appended(void **state)
{
	struct raw raw = { .io.ready = read_raw };
	int fds[2];

	a_pair(fds);
	loop = loop_create();
	client = (struct end){ 0 };
	client.conn = conn_accept(loop, fds[0], &handler, &client);
	append_zeros(&client, 1000000);
	shutdown(fds[1], SHUT_WR);
	conn_finish(&client.conn, 2000);
	raw.io.fd = fds[1];
	loop_watch(loop, &raw.io, true, false);
	loop_run(loop);
	assert_int_equal(raw.got, 1000000);
	loop_unwatch(&raw.io);
	loop_destroy(&loop);
	close(fds[1]);
}

static void accept_one(void *owner, int fd, const struct conn_address *from)
{
	close(fd);
	listener_destroy(owner);
}

static void a_listener_may_be_destroyed_when_it_tells_of_a_connection(void **state)
{
	struct conn_address address;
	int fd = listening(&address);
	struct listener *listener;

	loop = loop_create();
	client = (struct end){ 0 };
	listener = listener_create(loop, fd, accept_one, &listener);
	client.conn = conn_dial(loop, &address, 2000, &handler, &client);
	loop_run(loop);
	assert_null(listener);
	assert_true(client.ended);
	buffer_finish(&client.got);
	loop_destroy(&loop);
	close(fd);
}

static void a_refused_dial_is_told_later_and_by_its_cause(void **state)
{
	struct conn_address address;
	int fd = listening(&address);

	close(fd);
	loop = loop_create();
	client = (struct end){ 0 };
	client.conn = conn_dial(loop, &address, 2000, &handler, &client);
	assert_false(client.ended);
	loop_run(loop);
	assert_true(client.ended);
	assert_int_equal(client.how, CONN_REFUSED);
	loop_destroy(&loop);
}

static void addresses_are_written_and_read(void **state)
{
	static const char *const rows[][2] = { { "192.0.2.1", "192.0.2.1:5269" },
					       { "2001:db8::1", "[2001:db8::1]:5269" } };
	struct conn_address address;
	char text[CONN_ADDRESS_TEXT];

	for (size_t i = 0; i < nitems(rows); i++) {
		assert_true(conn_address_parse(&address, rows[i][0], 5269));
		conn_address_text(&address, text);
		assert_string_equal(text, rows[i][1]);
	}
	assert_false(conn_address_parse(&address, "example.net", 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_turns_to_tls_and_carries_bytes_in_full),
		cmocka_unit_test(a_handshake_that_the_peer_leaves_open_ends_in_time),
		cmocka_unit_test(what_is_appended_after_tls_was_begun_never_goes_in_clear),
		cmocka_unit_test(secrets_are_told_only_while_asked_for_and_of_the_peer_asked_for),
		cmocka_unit_test(a_session_chosen_for_one_capture_tells_nothing_to_the_next),
		cmocka_unit_test(
			bytes_flushed_during_the_handshake_come_after_it_also_to_who_pauses),
		cmocka_unit_test(a_chain_that_leads_nowhere_is_told_and_does_not_end_the_handshake),
		cmocka_unit_test(a_peer_that_is_gone_is_an_end_and_no_signal),
		cmocka_unit_test(a_peer_that_closed_its_half_still_gets_what_was_appended),
		cmocka_unit_test(a_listener_may_be_destroyed_when_it_tells_of_a_connection),
		cmocka_unit_test(a_refused_dial_is_told_later_and_by_its_cause),
		cmocka_unit_test(addresses_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
