#include "provision/tunnels.h"

#include "base/alloc.h"
#include "provision/documents.h"
#include "provision/issued.h"
#include "provision/meetings.h"
#include "provision/tunnel.h"
#include "tables/events.h"

#include <netinet/in.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <unistd.h>

#define TUNNELS_LISTENERS_MAX 16
#define AXL_PORT 8443
#define LINK_PORT "7400"
#define NEW_NODE_MS 500 /* it is being paired, and pins us at this moment */

struct row { /* of the list of tunnels */
	struct tunnel *tunnel;
	struct row *next;
	bool kept; /* by the settings that are taken over */
};

struct tunnels {
	struct tunnels_config config;
	struct snapshot *snapshot; /* in force; NULL before the first */
	struct tunnel_shared shared;
	struct meetings_self self;
	struct questions *questions;
	struct issued issued;
	struct meetings *meetings;
	struct ssh_server *server;
	struct row *rows;
	int waiting[TUNNELS_LISTENERS_MAX]; /* listeners, until there is a key */
	size_t waiting_count;
	bool listens;
	char address[CONN_ADDRESS_TEXT]; /* of the first listener that has one; empty: none */
	unsigned pairing_seconds;
};

static void copy(struct slice value, char *out, size_t size)
{
	snprintf(out, size, "%.*s", SLICE_ARGS(value));
}

static struct tunnel *find(const struct tunnels *tunnels, const char *name)
{
	for (const struct row *row = tunnels->rows; row; row = row->next) {
		if (strcmp(tunnel_node(row->tunnel)->name, name) == 0)
			return row->tunnel;
	}
	return NULL;
}

/* Who comes in */

/* The tunnel of a node that dials us with that key; NULL: there is none. */
static struct tunnel *find_caller(const struct tunnels *tunnels, const char *user, const char *pin)
{
	struct tunnel *tunnel = find(tunnels, user);

	return tunnel && !tunnel_node(tunnel)->address[0] &&
			       strcmp(tunnel_node(tunnel)->ssh_pin, pin) == 0
		       ? tunnel
		       : NULL;
}

static bool knows_key(void *arg, const char *user, const char *pin)
{
	return find_caller(arg, user, pin) != NULL;
}

static bool takes_passwords(void *arg)
{
	return ((const struct tunnels *)arg)->issued.out;
}

static bool knows_password(void *arg, const char *user, const char *password)
{
	return issued_knows(&((struct tunnels *)arg)->issued, user, password);
}

static void accepted(void *arg, struct ssh_tunnel *ssh, const char *subsystem, const char *user,
		     const char *pin, const char *from)
{
	struct tunnels *tunnels = arg;
	struct tunnel *tunnel = pin ? find_caller(tunnels, user, pin) : NULL;

	if (tunnel && strcmp(subsystem, SSH_PROVISIONING) == 0) {
		tunnel_adopt(tunnel, ssh, from);
	} else if (!pin && strcmp(subsystem, SSH_PAIRING) == 0) {
		meetings_accept(tunnels->meetings, ssh, from);
	} else {
		log_event(EVENT_SSH_REFUSED, "address=%s user=%s why=\"no such subsystem for it\"",
			  from, log_text(user));
		ssh_tunnel_destroy(&ssh);
	}
}

static unsigned seconds(const struct snapshot *snapshot, const char *name, unsigned otherwise)
{
	return (unsigned)snapshot_int(snapshot, name, otherwise);
}

static void serve(struct tunnels *tunnels, const struct snapshot *snapshot)
{
	struct ssh_server_config config = {
		.login_ms = tunnels->shared.login_ms,
		.silence_ms = tunnels->shared.silence_ms,
		.connections_max = seconds(snapshot, "limits.ssh_connections", 64),
		.connections_per_address_max =
			seconds(snapshot, "limits.ssh_connections_per_address", 8),
	};

	if (tunnels->server) {
		ssh_server_set_limits(tunnels->server, config.login_ms, config.silence_ms,
				      config.connections_max, config.connections_per_address_max);
	} else if (tunnels->listens) {
		config.loop = tunnels->config.loop;
		config.identity = tunnels->shared.identity;
		config.knows_key = knows_key;
		config.takes_passwords = takes_passwords;
		config.knows_password = knows_password;
		config.accepted = accepted;
		config.arg = tunnels;
		tunnels->server = ssh_server_create(&config);
	}
	for (size_t i = 0; i < tunnels->waiting_count; i++)
		ssh_server_listen(tunnels->server, tunnels->waiting[i]);
	tunnels->waiting_count = 0;
}

static bool is_any(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	return address->ss_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)
					      : v4->sin_addr.s_addr == INADDR_ANY;
}

void tunnels_listen(struct tunnels *tunnels, int fd)
{
	struct conn_address address = { .len = sizeof(address.storage) };

	tunnels->listens = true;
	if (!tunnels->address[0] &&
	    getsockname(fd, (struct sockaddr *)&address.storage, &address.len) == 0 &&
	    !is_any(&address.storage))
		conn_address_text(&address, tunnels->address);
	if (tunnels->server) {
		ssh_server_listen(tunnels->server, fd);
	} else if (tunnels->waiting_count < TUNNELS_LISTENERS_MAX) {
		tunnels->waiting[tunnels->waiting_count++] = fd;
		if (tunnels->snapshot)
			serve(tunnels, tunnels->snapshot);
	} else {
		log_event(EVENT_SSH_REFUSED, "why=\"more than 16 listeners for provisioning\"");
		close(fd);
	}
}

/* Settings */

static bool read_key(struct tunnels *tunnels, const struct snapshot *snapshot, const char **why)
{
	struct slice key = snapshot_text(snapshot, "ssh.private_key");

	if (tunnels->shared.identity) {
		if (slice_equals(key, snapshot_text(tunnels->snapshot, "ssh.private_key")))
			return true;
		*why = "the SSH key is another: it is taken when the node is started again";
		return false;
	}
	if (!key.len) {
		*why = "ssh.private_key is missing";
		return false;
	}
	tunnels->shared.identity = ssh_identity_create(key, why);
	return tunnels->shared.identity != NULL;
}

/* SHA-256 of the SubjectPublicKeyInfo of the first certificate, in hex; empty: there is none. */
static void certificate_pin(struct slice pem, char pin[SSH_PIN_LEN + 1])
{
	BIO *bio = BIO_new_mem_buf(pem.len ? pem.data : "", (int)pem.len);
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL, digest[32];
	int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der) : 0;

	pin[0] = '\0';
	if (len > 0 && EVP_Digest(der, (size_t)len, digest, NULL, EVP_sha256(), NULL)) {
		for (size_t i = 0; i < sizeof(digest); i++)
			snprintf(pin + 2 * i, 3, "%02x", digest[i]);
	}
	OPENSSL_free(der);
	X509_free(certificate);
	BIO_free(bio);
}

static void read_self(struct tunnels *tunnels, const struct snapshot *snapshot)
{
	struct tunnel_shared *shared = &tunnels->shared;

	copy(snapshot_text(snapshot, "node.name"), shared->name, sizeof(shared->name));
	copy(snapshot_text(snapshot, "node.role"), shared->role, sizeof(shared->role));
	copy(snapshot_text(snapshot, "node.pin"), tunnels->self.link_pin,
	     sizeof(tunnels->self.link_pin));
	certificate_pin(snapshot_text(snapshot, "axl.certificate"), tunnels->self.axl_pin);
	shared->login_ms = seconds(snapshot, "timeouts.ssh_login", 20) * 1000;
	shared->silence_ms = seconds(snapshot, "timeouts.ssh_silence", 15) * 1000;
	tunnels->pairing_seconds = seconds(snapshot, "timeouts.pairing", 900);
}

/* False: there is no tunnel to that node. */
static bool read_node(const struct snapshot_record *record, struct tunnel_node *node)
{
	*node = (struct tunnel_node){ 0 };
	if (record->count < 7)
		return false;
	copy(record->fields[1], node->name, sizeof(node->name));
	copy(record->fields[2], node->role, sizeof(node->role));
	if (!slice_is(record->fields[5], "-"))
		copy(record->fields[5], node->address, sizeof(node->address));
	copy(record->fields[6], node->ssh_pin, sizeof(node->ssh_pin));
	return form_is_name(node->name) && form_is_role(node->role) && form_is_pin(node->ssh_pin);
}

static bool is_same(const struct tunnel_node *a, const struct tunnel_node *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->role, b->role) == 0 &&
	       strcmp(a->ssh_pin, b->ssh_pin) == 0;
}

static void keep(struct tunnels *tunnels, const struct tunnel_node *node)
{
	struct row *row = tunnels->rows;

	while (row && !is_same(tunnel_node(row->tunnel), node))
		row = row->next;
	if (row) {
		tunnel_move(row->tunnel, node->address);
	} else {
		row = xcalloc(1, sizeof(*row));
		row->tunnel =
			tunnel_create(&tunnels->shared, node, tunnels->snapshot ? NEW_NODE_MS : 0);
		row->next = tunnels->rows;
		tunnels->rows = row;
	}
	row->kept = true;
}

static void drop_others(struct tunnels *tunnels, const char *why)
{
	for (struct row **link = &tunnels->rows, *row; (row = *link) != NULL;) {
		if (row->kept) {
			row->kept = false;
			link = &row->next;
			continue;
		}
		*link = row->next;
		tunnel_destroy(&row->tunnel, why);
		free(row);
	}
}

static void keep_nodes(struct tunnels *tunnels, const struct snapshot *snapshot)
{
	struct snapshot_record record;
	struct tunnel_node node;
	size_t place = 0;

	while (snapshot_each(snapshot, "nodes", &place, &record)) {
		if (read_node(&record, &node))
			keep(tunnels, &node);
	}
	drop_others(tunnels, "the node, or its key, was removed from the settings");
}

static void publish(struct tunnels *tunnels)
{
	uint64_t revision = snapshot_revision(tunnels->snapshot);

	for (struct row *row = tunnels->rows; row; row = row->next) {
		const struct tunnel_node *node = tunnel_node(row->tunnel);
		json_t *document = document_make(tunnels->snapshot, node->name, node->role);

		tunnel_publish(row->tunnel, revision, document);
		json_decref(document);
	}
}

bool tunnels_apply(struct tunnels *tunnels, struct snapshot **snapshot, const char **why)
{
	if (!read_key(tunnels, *snapshot, why))
		return false;
	read_self(tunnels, *snapshot);
	serve(tunnels, *snapshot);
	keep_nodes(tunnels, *snapshot);
	snapshot_destroy(&tunnels->snapshot);
	tunnels->snapshot = *snapshot;
	*snapshot = NULL;
	publish(tunnels);
	return true;
}

void tunnels_answer(struct tunnels *tunnels, uint64_t tag, bool done, const char *text)
{
	questions_answer(tunnels->questions, tag, done, text);
}

/* Questions between nodes */

void tunnels_ask(struct tunnels *tunnels, const char *node, const char *const *words, size_t count,
		 unsigned timeout_ms, uint64_t tag, tunnels_reply_fn *answered, void *arg)
{
	struct tunnel *tunnel = find(tunnels, node);
	uint64_t number =
		inquiries_ask(tunnels->shared.inquiries, node, timeout_ms, tag, answered, arg);

	if (number && tunnel)
		tunnel_ask(tunnel, number, words, count);
	else if (number)
		inquiries_fail(tunnels->shared.inquiries, number, "no such node is paired");
}

json_t *tunnels_reachable(const struct tunnels *tunnels)
{
	json_t *nodes = json_array();
	struct snapshot_record record;
	size_t place = 0;

	while (tunnels->snapshot && snapshot_each(tunnels->snapshot, "nodes", &place, &record)) {
		char *name = xstrndup(record.fields[1].data, record.fields[1].len);
		const struct tunnel *tunnel = find(tunnels, name);

		if (tunnel && tunnel_is_up(tunnel))
			json_array_append_new(nodes, json_pack("{s:s, s:s}", "name", name, "role",
							       tunnel_node(tunnel)->role));
		free(name);
	}
	return nodes;
}

void tunnels_reply(struct tunnels *tunnels, uint64_t number, unsigned status, const char *text,
		   json_t *data)
{
	struct tunnel *tunnel;
	const char *node;
	uint64_t theirs;

	if (!inquiries_close(tunnels->shared.inquiries, number, &node, &theirs))
		return;
	tunnel = find(tunnels, node);
	if (tunnel)
		tunnel_reply(tunnel, theirs, status, text, data);
}

void tunnels_report(struct tunnels *tunnels, json_t *status)
{
	if (tunnels->shared.status && json_equal(tunnels->shared.status, status))
		return;
	json_incref(status);
	json_decref(tunnels->shared.status);
	tunnels->shared.status = status;
	for (struct row *row = tunnels->rows; row; row = row->next)
		tunnel_report(row->tunnel);
}

/* People's commands */

static char *may_not_pair(const struct tunnels *tunnels, const struct issued_wish *wish)
{
	if (!tunnels->snapshot)
		return xstrdup("the settings are not here yet: try again");
	if (!tunnels->listens)
		return xasprintf("%s has no listener for provisioning: nobody dials a core; run "
				 "pair on the edge or home node, and join here",
				 tunnels->shared.name);
	if (!wish->address)
		return xstrdup("the listener for provisioning has no address of its own: say which "
			       "one the core dials with address=IP:PORT");
	return NULL;
}

bool tunnels_pair(struct tunnels *tunnels, const char *const *words, size_t count, char **text)
{
	struct issued_wish wish = { .address = tunnels->address[0] ? tunnels->address : NULL,
				    .link = "-:" LINK_PORT,
				    .seconds = tunnels->pairing_seconds,
				    .axl_port = AXL_PORT };
	char code[CODE_TEXT_BYTES];

	for (size_t i = 0; i < count; i++) {
		*text = issued_read_word(words[i], &wish);
		if (*text)
			return false;
	}
	*text = may_not_pair(tunnels, &wish);
	if (*text)
		return false;
	issued_make(&tunnels->issued, &tunnels->shared, &wish, code);
	*text = xasprintf("%s\nGood once, for %u seconds. On the core: sallyport join CODE", code,
			  wish.seconds);
	explicit_bzero(code, sizeof(code));
	return true;
}

void tunnels_join(struct tunnels *tunnels, const char *code, uint64_t session,
		  tunnels_joined_fn *joined, void *arg)
{
	meetings_join(tunnels->meetings, code, session, joined, arg);
}

/* Status */

static void add_secret(void *out, const char *edge, const char *fingerprint)
{
	snapshot_add(out,
		     &(struct snapshot_record){
			     3, { slice_of("secret"), slice_of(edge), slice_of(fingerprint) } });
}

void tunnels_status(const struct tunnels *tunnels, struct buffer *out)
{
	for (const struct row *row = tunnels->rows; row; row = row->next)
		tunnel_status(row->tunnel, out);
	for (const struct row *row = tunnels->rows; row; row = row->next)
		document_each_secret(tunnel_other_document(row->tunnel), add_secret, out);
}

json_t *tunnels_others(const struct tunnels *tunnels)
{
	json_t *others = json_object();

	for (const struct row *row = tunnels->rows; row; row = row->next) {
		const json_t *status = tunnel_other_status(row->tunnel);

		if (status)
			json_object_set_new(others, tunnel_node(row->tunnel)->name,
					    json_deep_copy(status));
	}
	return others;
}

/* The whole */

static bool is_known(void *arg, const char *name)
{
	const struct tunnels *tunnels = arg;
	struct snapshot_record record;
	size_t place = 0;

	while (tunnels->snapshot && snapshot_each(tunnels->snapshot, "nodes", &place, &record)) {
		if (record.count > 1 && slice_is(record.fields[1], name))
			return true;
	}
	return false;
}

struct tunnels *tunnels_create(const struct tunnels_config *config)
{
	struct tunnels *tunnels = xcalloc(1, sizeof(*tunnels));

	tunnels->config = *config;
	tunnels->questions = questions_create(&tunnels->config);
	tunnels->shared.loop = config->loop;
	tunnels->shared.release = config->release;
	tunnels->shared.questions = tunnels->questions;
	tunnels->shared.inquiries = inquiries_create(config->loop);
	tunnels->shared.asked = config->asked;
	tunnels->shared.arg = config->arg;
	tunnels->meetings = meetings_create(&tunnels->shared, &tunnels->self, &tunnels->issued);
	meetings_set_known(tunnels->meetings, is_known, tunnels);
	return tunnels;
}

void tunnels_destroy(struct tunnels **tunnels)
{
	struct tunnels *t = *tunnels;

	if (!t)
		return;
	ssh_server_destroy(&t->server);
	for (size_t i = 0; i < t->waiting_count; i++)
		close(t->waiting[i]);
	meetings_destroy(&t->meetings);
	issued_void(&t->issued, "the node stops");
	drop_others(t, "the node stops");
	questions_destroy(&t->questions);
	inquiries_destroy(&t->shared.inquiries);
	ssh_identity_destroy(&t->shared.identity);
	snapshot_destroy(&t->snapshot);
	json_decref(t->shared.status);
	free(t);
	*tunnels = NULL;
}
