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
		conn_start_tls(e->conn, e->accepting ? tls_accepting(e->tls)
						     : tls_dialling(e->tls, "a.example"));
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
		cmocka_unit_test(a_refused_dial_is_told_later_and_by_its_cause),
		cmocka_unit_test(addresses_are_written_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
