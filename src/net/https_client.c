#include "net/https_client.h"

#include "base/alloc.h"
#include "base/buffer.h"

#include <curl/curl.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADERS_BYTES ((size_t)64 << 10) /* of all header lines of an answer */
#define CONNECTIONS_KEPT 16L
#define PIN_BYTES 32
#define PIN_TEXT (sizeof("sha256//") + 44)

/* A socket of curl's. */
struct watch {
	struct loop_io io;
	struct https_client *client;
};

struct job {
	struct job *next;
	struct https_client *client;
	uint64_t tag;
	https_fn *answered;
	void *arg;
	uint64_t begun_us;
	unsigned timeout_ms;

	char *host;
	uint16_t port;
	struct dns_query *queries[DNS_TYPE_COUNT]; /* while it is open */
	enum dns_status found[DNS_TYPE_COUNT];
	struct address addresses[2 * DNS_RECORDS_MAX];
	size_t addresses_count;
	struct timer deadline; /* of the lookup; curl keeps the time afterwards */

	CURL *easy;
	struct curl_slist *headers, *resolved;
	char error[CURL_ERROR_SIZE];
	struct buffer body;
	size_t headers_bytes;
	bool too_long;

	enum https_end end;
	long status;
	char *why;
};

struct https_client {
	struct loop *loop;
	struct dns *dns;
	CURLM *multi;
	struct timer timer;
	struct loop_task task; /* gives answers */
	struct job *open, *done;
};

static const char *const end_names[] = {
	[HTTPS_ANSWERED] = "answered", [HTTPS_NO_ADDRESS] = "no-address",
	[HTTPS_REFUSED] = "refused",   [HTTPS_UNREACHABLE] = "unreachable",
	[HTTPS_TIMEOUT] = "timeout",   [HTTPS_TLS] = "tls",
	[HTTPS_PROTOCOL] = "protocol",
};

const char *https_end_name(enum https_end end)
{
	return end_names[end];
}

/* What would open a file later: OpenSSL's configuration and its providers. */
bool https_prepare(void)
{
	SSL_CTX *ctx;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
	    !OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS |
				      OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
			      NULL))
		return false;
	ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_free(ctx);
	return ctx != NULL;
}

static void free_job(struct job *job)
{
	for (size_t i = 0; i < DNS_TYPE_COUNT; i++)
		dns_cancel(&job->queries[i]);
	loop_disarm(job->client->loop, &job->deadline);
	if (job->easy) {
		curl_multi_remove_handle(job->client->multi, job->easy);
		curl_easy_cleanup(job->easy);
	}
	curl_slist_free_all(job->headers);
	curl_slist_free_all(job->resolved);
	buffer_finish(&job->body);
	free(job->host);
	free(job->why);
	free(job);
}

/* From then on it waits to be told. Takes `why`. */
static void end_job(struct job *job, enum https_end end, char *why)
{
	struct https_client *client = job->client;
	struct job **at = &client->open;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->next = NULL;
	/* Answers and deadlines that are due in the same moment find it ended otherwise. */
	loop_disarm(client->loop, &job->deadline);
	for (size_t i = 0; i < DNS_TYPE_COUNT; i++)
		dns_cancel(&job->queries[i]);
	job->end = end;
	job->why = why;
	for (at = &client->done; *at; at = &(*at)->next)
		;
	*at = job;
	loop_defer(client->loop, &client->task);
}

/* One answer each time, as the callback may destroy the client. */
static void give_answer(struct loop_task *task)
{
	struct https_client *client = (void *)((char *)task - offsetof(struct https_client, task));
	struct job *job = client->done;
	https_fn *answered = job->answered;
	struct https_answer answer = {
		.end = job->end,
		.status = job->status,
		.why = job->why,
		.took_ms = (unsigned)((loop_clock_us() - job->begun_us) / 1000),
	};
	size_t len = buffer_len(&job->body);
	char *body = buffer_take_text(&job->body), *why = job->why;
	uint64_t tag = job->tag;
	void *arg = job->arg;

	if (job->end == HTTPS_ANSWERED)
		answer.body = (struct slice){ body, len };
	job->why = NULL;
	client->done = job->next;
	free_job(job);
	if (client->done)
		loop_defer(client->loop, &client->task);
	answered(arg, tag, &answer);
	free(body);
	free(why);
}

static enum https_end end_of(CURL *easy, CURLcode code)
{
	long error = 0;

	switch (code) {
	case CURLE_OK:
		return HTTPS_ANSWERED;
	case CURLE_COULDNT_RESOLVE_HOST:
		return HTTPS_NO_ADDRESS;
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
		return error == ECONNREFUSED ? HTTPS_REFUSED
		       : error == ETIMEDOUT  ? HTTPS_TIMEOUT
					     : HTTPS_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return HTTPS_TIMEOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return HTTPS_TLS;
	default:
		return HTTPS_PROTOCOL;
	}
}

/* Curl's words, and the system's where curl leaves them out; the caller frees them. */
static char *why_of(const struct job *job, CURLcode code)
{
	const char *words = *job->error ? job->error : curl_easy_strerror(code);
	long error = 0;

	if (code == CURLE_OK)
		return NULL;
	if (job->too_long)
		return xasprintf("the answer is longer than %zu bytes", HTTPS_ANSWER_BYTES);
	curl_easy_getinfo(job->easy, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_COULDNT_CONNECT && error)
		return xasprintf("%s (%s)", words, strerror((int)error));
	return xstrdup(words);
}

static void take_finished(struct https_client *client)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		CURLcode code = message->data.result;
		CURL *easy = message->easy_handle;
		struct job *job = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&job);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &job->status);
		curl_multi_remove_handle(client->multi, easy);
		end_job(job, end_of(easy, code), why_of(job, code));
	}
}

static void on_socket_ready(struct loop_io *io, bool readable, bool writable)
{
	struct watch *watch = (void *)((char *)io - offsetof(struct watch, io));
	struct https_client *client = watch->client;
	int running;

	/* It may be freed in there. */
	curl_multi_socket_action(
		client->multi, io->fd,
		(readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0), &running);
	take_finished(client);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch_arg)
{
	struct https_client *client = arg;
	struct watch *watch = watch_arg;

	if (what == CURL_POLL_REMOVE) {
		if (watch)
			loop_unwatch(&watch->io);
		free(watch);
		return 0;
	}
	if (!watch) {
		watch = xcalloc(1, sizeof(*watch));
		watch->client = client;
		watch->io.fd = fd;
		watch->io.ready = on_socket_ready;
		curl_multi_assign(client->multi, fd, watch);
	}
	loop_watch(client->loop, &watch->io, (what & CURL_POLL_IN) != 0,
		   (what & CURL_POLL_OUT) != 0);
	return 0;
}

static void on_timer(struct timer *timer)
{
	struct https_client *client =
		(void *)((char *)timer - offsetof(struct https_client, timer));
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(client);
}

/* Curl must not be called from here, not even for 0 ms: the loop does. */
static int on_timer_change(CURLM *multi, long in_ms, void *arg)
{
	struct https_client *client = arg;

	if (in_ms < 0)
		loop_disarm(client->loop, &client->timer);
	else
		loop_arm(client->loop, &client->timer, (uint64_t)in_ms);
	return 0;
}

struct https_client *https_client_create(struct loop *loop, struct dns *dns)
{
	struct https_client *client = xcalloc(1, sizeof(*client));

	client->loop = loop;
	client->dns = dns;
	client->timer.fire = on_timer;
	client->task.run = give_answer;
	client->multi = curl_multi_init();
	if (!client->multi)
		abort();
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	return client;
}

static void free_jobs(struct job *job)
{
	while (job) {
		struct job *next = job->next;

		free_job(job);
		job = next;
	}
}

void https_client_destroy(struct https_client **client_ref)
{
	struct https_client *client = *client_ref;

	if (!client)
		return;
	*client_ref = NULL;
	free_jobs(client->open);
	free_jobs(client->done);
	curl_multi_cleanup(client->multi);
	loop_disarm(client->loop, &client->timer);
	loop_undefer(client->loop, &client->task);
	free(client);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
	struct job *job = arg;

	job->too_long |= buffer_len(&job->body) + size * count > HTTPS_ANSWER_BYTES;
	if (job->too_long)
		return 0;
	buffer_append(&job->body, bytes, size * count);
	return size * count;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *arg)
{
	struct job *job = arg;

	job->headers_bytes += size * count;
	job->too_long |= job->headers_bytes > HEADERS_BYTES;
	return job->too_long ? 0 : size * count;
}

/* "sha256//" and base64, as curl wants it; what is no pin leaves "sha256//", which nobody has. */
static void pin_text(const char *hex, char text[PIN_TEXT])
{
	unsigned char pin[PIN_BYTES];
	size_t len = 0;

	if (!hex || OPENSSL_hexstr2buf_ex(pin, sizeof(pin), &len, hex, '\0') != 1 ||
	    len != sizeof(pin))
		return;
	EVP_EncodeBlock((unsigned char *)text + strlen("sha256//"), pin, PIN_BYTES);
}

static void set_trust(CURL *easy, const struct https_request *request)
{
	struct curl_blob trust = { (void *)(uintptr_t)request->trust.data, request->trust.len,
				   CURL_BLOB_COPY };
	bool by_authority = request->verify == HTTPS_VERIFY_CA;
	char pin[PIN_TEXT] = "sha256//"; /* of none */

	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, by_authority ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, by_authority ? 2L : 0L);
	if (by_authority && trust.len)
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &trust);
	if (request->verify == HTTPS_VERIFY_PIN) {
		pin_text(request->pin, pin);
		curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pin);
	}
}

static void set_url(struct job *job, const struct https_request *request)
{
	bool v6 = strchr(request->host, ':') != NULL;
	char *url = xasprintf("https://%s%s%s:%u%s", v6 ? "[" : "", request->host, v6 ? "]" : "",
			      request->port, request->path);

	curl_easy_setopt(job->easy, CURLOPT_URL, url);
	curl_easy_setopt(job->easy, CURLOPT_FRESH_CONNECT, request->fresh ? 1L : 0L);
	free(url);
}

static void set_content(struct job *job, const struct https_request *request)
{
	for (size_t i = 0; request->headers && request->headers[i]; i++)
		job->headers = curl_slist_append(job->headers, request->headers[i]);
	job->headers = curl_slist_append(job->headers, "Expect:");
	curl_easy_setopt(job->easy, CURLOPT_HTTPHEADER, job->headers);
	if (request->user) {
		curl_easy_setopt(job->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(job->easy, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(job->easy, CURLOPT_PASSWORD, request->password);
	}
	if (request->body.data) {
		curl_easy_setopt(job->easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->body.len);
		curl_easy_setopt(job->easy, CURLOPT_COPYPOSTFIELDS, request->body.data);
	}
}

static void set_manner(struct job *job)
{
	curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
	curl_easy_setopt(job->easy, CURLOPT_ERRORBUFFER, job->error);
	curl_easy_setopt(job->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(job->easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(job->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(job->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(job->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job);
	curl_easy_setopt(job->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(job->easy, CURLOPT_HEADERDATA, job);
}

static void start(struct job *job)
{
	uint64_t gone_ms = (loop_clock_us() - job->begun_us) / 1000;
	long left_ms = gone_ms < job->timeout_ms ? (long)(job->timeout_ms - gone_ms) : 1;
	CURLMcode code;

	loop_disarm(job->client->loop, &job->deadline);
	curl_easy_setopt(job->easy, CURLOPT_TIMEOUT_MS, left_ms);
	code = curl_multi_add_handle(job->client->multi, job->easy);
	if (code != CURLM_OK)
		end_job(job, HTTPS_PROTOCOL, xstrdup(curl_multi_strerror(code)));
}

/* "+HOST:PORT:ADDRESS,ADDRESS": curl asks nobody, and makes no thread to ask in. */
static void start_with_addresses(struct job *job)
{
	struct buffer line = { 0 };
	char text[ADDRESS_TEXT], *entry;

	addresses_interleave(job->addresses, job->addresses_count);
	buffer_printf(&line, "+%s:%u:", job->host, job->port);
	for (size_t i = 0; i < job->addresses_count; i++) {
		address_text(&job->addresses[i], text);
		buffer_printf(&line, job->addresses[i].v6 ? "%s[%s]" : "%s%s", i ? "," : "", text);
	}
	entry = buffer_take_text(&line);
	job->resolved = curl_slist_append(NULL, entry);
	free(entry);
	curl_easy_setopt(job->easy, CURLOPT_RESOLVE, job->resolved);
	start(job);
}

static void on_address(void *arg, const struct dns_answer *answer)
{
	struct job *job = arg;

	job->queries[answer->type] = NULL;
	job->found[answer->type] = answer->status;
	for (size_t i = 0; i < answer->count && job->addresses_count < nitems(job->addresses); i++)
		job->addresses[job->addresses_count++] = answer->addresses[i];
	if (job->queries[DNS_A] || job->queries[DNS_AAAA])
		return;
	if (job->addresses_count)
		start_with_addresses(job);
	else
		end_job(job, HTTPS_NO_ADDRESS,
			xasprintf("%s has no address (A: %s, AAAA: %s)", job->host,
				  dns_status_name(job->found[DNS_A]),
				  dns_status_name(job->found[DNS_AAAA])));
}

static void on_deadline(struct timer *timer)
{
	struct job *job = (void *)((char *)timer - offsetof(struct job, deadline));

	end_job(job, HTTPS_TIMEOUT,
		xasprintf("no answer of the name servers about %s in time", job->host));
}

void https_client_send(struct https_client *client, const struct https_request *request,
		       uint64_t tag, https_fn *answered, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));
	struct address literal;

	job->client = client;
	job->tag = tag;
	job->answered = answered;
	job->arg = arg;
	job->begun_us = loop_clock_us();
	job->timeout_ms = request->timeout_ms;
	job->host = xstrdup(request->host);
	job->port = request->port;
	job->deadline.fire = on_deadline;
	job->next = client->open;
	client->open = job;
	job->easy = curl_easy_init();
	if (!job->easy)
		abort();
	set_manner(job);
	set_url(job, request);
	set_content(job, request);
	set_trust(job->easy, request);
	if (address_read(slice_of(request->host), &literal)) {
		start(job);
	} else if (!client->dns) {
		end_job(job, HTTPS_NO_ADDRESS,
			xasprintf("there is no resolver to ask about %s", job->host));
	} else {
		loop_arm(client->loop, &job->deadline, job->timeout_ms);
		job->queries[DNS_A] = dns_ask(client->dns, DNS_A, job->host, on_address, job);
		job->queries[DNS_AAAA] = dns_ask(client->dns, DNS_AAAA, job->host, on_address, job);
	}
}
