#include "net/https_test_server.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUEST_BYTES 65536
#define RESPONSE_BYTES 65536

#define MUST(expression)                                                                           \
	do {                                                                                       \
		if (!(expression))                                                                 \
			abort();                                                                   \
	} while (0)

static X509 *certify(EVP_PKEY *key, const char *name)
{
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);
	char *san = xasprintf("DNS:%s", name);
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1,
				   0);
	X509_set_issuer_name(cert, subject);
	X509_set_pubkey(cert, key);
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, san);
	MUST(extension && X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	free(san);
	MUST(X509_sign(cert, key, EVP_sha256()));
	return cert;
}

static void describe(struct https_test_server *server, X509 *cert)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	BIO *memory = BIO_new(BIO_s_mem());
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	unsigned digest_len;

	MUST(EVP_Digest(der, (size_t)len, digest, &digest_len, EVP_sha256(), NULL));
	OPENSSL_free(der);
	for (unsigned i = 0; i < digest_len; i++)
		snprintf(server->pin + 2 * (size_t)i, 3, "%02x", digest[i]);
	MUST(PEM_write_bio_X509(memory, cert));
	len = BIO_read(memory, server->certificate, sizeof(server->certificate) - 1);
	server->certificate[len] = '\0';
	BIO_free(memory);
}

/* A request with its body, terminated. False: the connection is over. */
static bool read_request(SSL *ssl, char request[REQUEST_BYTES])
{
	size_t used = 0, wanted = 0;
	char *body, *length;

	while (!wanted || used < wanted) {
		int n = SSL_read(ssl, request + used, (int)(REQUEST_BYTES - 1 - used));

		if (n <= 0)
			return false;
		used += (size_t)n;
		request[used] = '\0';
		body = strstr(request, "\r\n\r\n");
		if (!body)
			continue;
		length = strstr(request, "Content-Length: ");
		wanted = (size_t)(body + 4 - request) +
			 (length ? strtoul(length + 16, NULL, 10) : 0);
	}
	return true;
}

static bool write_text(SSL *ssl, const char *text)
{
	return SSL_write(ssl, text, (int)strlen(text)) > 0;
}

static void write_endlessly(SSL *ssl, const char *head, const char *more)
{
	write_text(ssl, head);
	while (write_text(ssl, more))
		;
}

/* False: no more on this connection. */
static bool serve(SSL *ssl, const char *request, int connection, https_test_respond *respond,
		  void *arg)
{
	static char response[RESPONSE_BYTES + REQUEST_BYTES];
	static char block[16385], line[64];
	const char *path = strchr(request, ' ') + 1;
	int status;

	memset(block, 'x', sizeof(block) - 1);
	if (strncmp(path, "/echo", 5) == 0) {
		int n = snprintf(line, sizeof(line), "connection=%d\n", connection);

		snprintf(response, sizeof(response),
			 "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s%s",
			 (size_t)n + strlen(request), line, request);
	} else if (sscanf(path, "/status/%d", &status) == 1) {
		snprintf(response, sizeof(response),
			 "HTTP/1.1 %d Words\r\nContent-Length: 10\r\n\r\nstatus %d", status,
			 status);
	} else if (strncmp(path, "/long", 5) == 0) {
		write_endlessly(ssl, "HTTP/1.1 200 OK\r\n\r\n", block);
		return false;
	} else if (strncmp(path, "/headers", 8) == 0) {
		write_endlessly(ssl, "HTTP/1.1 200 OK\r\n", "X-Header: another one\r\n");
		return false;
	} else if (strncmp(path, "/silent", 7) == 0) {
		pause();
	} else if (strncmp(path, "/garbage", 8) == 0) {
		write_text(ssl, "220 mail.example ESMTP\r\n");
		return false;
	} else if (strncmp(path, "/redirect", 9) == 0) {
		snprintf(response, sizeof(response),
			 "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
	} else {
		respond(arg, request, response, sizeof(response));
	}
	return write_text(ssl, response);
}

static void serve_all(int listener, SSL_CTX *ctx, https_test_respond *respond, void *arg)
{
	static char request[REQUEST_BYTES];

	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (int connection = 1;; connection++) {
		int fd = accept(listener, NULL, NULL);
		SSL *ssl;

		if (fork() != 0) {
			close(fd);
			continue;
		}
		alarm(60);
		ssl = SSL_new(ctx);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1) {
			while (read_request(ssl, request) &&
			       serve(ssl, request, connection, respond, arg))
				;
			SSL_shutdown(ssl);
		}
		_exit(0);
	}
}

void https_test_server_start(struct https_test_server *server, const char *name,
			     https_test_respond *respond, void *arg)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = certify(key, name);

	memset(server, 0, sizeof(*server));
	describe(server, cert);
	MUST(SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1);
	MUST(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 10) == 0);
	MUST(getsockname(listener, (struct sockaddr *)&at, &len) == 0);
	server->port = ntohs(at.sin_port);
	server->pid = fork();
	MUST(server->pid >= 0);
	if (server->pid == 0) {
		setpgid(0, 0);
		serve_all(listener, ctx, respond, arg);
	}
	setpgid(server->pid, server->pid);
	close(listener);
	SSL_CTX_free(ctx);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void https_test_server_stop(struct https_test_server *server)
{
	if (server->pid > 0) {
		kill(-server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
	}
	server->pid = 0;
}
