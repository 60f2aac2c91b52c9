/* What people ask for about the certificate for the world: a request, and the answer to it. */
#include "process/configure_internal.h"

#include "base/alloc.h"
#include "policy/domain.h"
#include "store/certificate.h"
#include "store/pem.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#define CERTIFICATE "tls.certificate"
#define KEY "tls.private_key"
#define PENDING "tls.pending_key"

struct names {
	char **list;
	size_t count;
};

static void add_name(struct names *names, const char *domain)
{
	names->list = xrealloc(names->list, (names->count + 1) * sizeof(*names->list));
	names->list[names->count++] = xstrdup(domain);
}

static void names_finish(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

/* Domains that are federated, as they are stored: prepared. Addresses get no certificate. */
static void add_federated(struct names *names, const struct store *store)
{
	const struct setting *setting = setting_find("domains");
	const struct setting_value *rows = store_value(store, setting);

	for (size_t i = 0; i < rows->count; i++) {
		struct slice fields[SETTING_FIELDS_MAX];
		char *domain;

		setting_split(setting, rows->entries[i], fields);
		domain = xstrndup(fields[0].data, fields[0].len);
		if (slice_is(fields[1], "on") && !domain_is_address(domain))
			add_name(names, domain);
		free(domain);
	}
}

static bool read_names(struct order *order, struct names *names, char **why)
{
	char domain[DOMAIN_BYTES + 1];

	for (size_t i = 0; i < order->count; i++) {
		if (!domain_prepare(slice_of(order->words[i]), domain) ||
		    domain_is_address(domain)) {
			*why = xasprintf("%s: not a domain", order->words[i]);
			return false;
		}
		add_name(names, domain);
	}
	if (!order->count)
		add_federated(names, order_store(order));
	if (!names->count)
		*why = xstrdup("no domain is federated yet: switch one on at the core, or name it: "
			       "cert csr NAME");
	return names->count;
}

static bool is_edge(const struct order *order, char **why)
{
	if (order_has(order, setting_find(CERTIFICATE)))
		return true;
	*why = xstrdup("only edges have a certificate for the world");
	return false;
}

static bool put(struct plan *plan, const char *name, const char *text, char **why)
{
	return plan_set(plan, setting_find(name), &text, 1, why);
}

/* The key that waits for its certificate; made if there is none. Lent by the store. */
static const char *pending_key(struct order *order, char **why)
{
	const char *pending = store_text(order_store(order), PENDING);
	struct plan plan = { 0 };
	char *key = pending ? NULL : certificate_new_key();
	bool stored;

	if (pending)
		return pending;
	if (!key) {
		*why = xstrdup("OpenSSL makes no key");
		return NULL;
	}
	stored = put(&plan, PENDING, key, why);
	pem_wipe(&key);
	if (!stored)
		plan_finish(&plan);
	else
		stored = order_carry_out(order, &plan, why);
	return stored ? store_text(order_store(order), PENDING) : NULL;
}

bool order_cert_csr(struct order *order, char **why)
{
	struct names names = { 0 };
	const char *pending = NULL;
	char *request = NULL;
	EVP_PKEY *key;

	if (is_edge(order, why) && read_names(order, &names, why))
		pending = pending_key(order, why);
	if (pending) {
		key = pem_first_key(pending);
		request =
			key ? certificate_request(key, (const char *const *)names.list, names.count)
			    : NULL;
		EVP_PKEY_free(key);
		if (!request)
			*why = xstrdup("OpenSSL makes no request for these names");
	}
	buffer_finish(&order->out); /* nothing but the request, which goes into a file */
	if (request)
		buffer_append_text(&order->out, request);
	names_finish(&names);
	free(request);
	return !*why;
}

/* The certificate's key: that in the file, that of the request, or the one in use. The caller
 * wipes it. NULL and *why. */
static char *find_key(struct order *order, const char *text, const char *certificates, char **why)
{
	static const char *const kept[] = { PENDING, KEY };

	if (pem_has_private_key(text)) {
		char *key = pem_private_key(text);

		if (key && pem_key_fits(certificates, key))
			return key;
		*why = xstrdup(key ? "the key in it is not that of its first certificate"
				   : "the key in it is encrypted or broken: openssl pkey writes it "
				     "without a passphrase");
		pem_wipe(&key);
		return NULL;
	}
	for (size_t i = 0; i < nitems(kept); i++) {
		const char *key = store_text(order_store(order), kept[i]);

		if (key && pem_key_fits(certificates, key))
			return xstrdup(key);
	}
	*why = xasprintf("%s: put its private key into the file",
			 store_text(order_store(order), PENDING)
				 ? "its first certificate is neither for the key of `cert csr` nor "
				   "for the one in use"
				 : "its first certificate is not for the key in use, and no `cert "
				   "csr` is under way");
	return NULL;
}

static bool plan_install(struct order *order, struct plan *plan, const char *text, char **why)
{
	const char *pending = store_text(order_store(order), PENDING);
	char *certificates = pem_certificates(text), *key = NULL;
	bool planned = false;

	if (!certificates)
		*why = xstrdup("there is no certificate in PEM in it, or one is broken");
	else if (certificate_check_chain(certificates, (int64_t)time(NULL), why))
		key = find_key(order, text, certificates, why);
	if (key)
		planned = put(plan, CERTIFICATE, certificates, why) && put(plan, KEY, key, why);
	if (planned && pending && pem_key_fits(certificates, pending))
		planned = plan_reset(plan, setting_find(PENDING), why);
	pem_wipe(&key);
	free(certificates);
	return planned;
}

/* What is installed now, and what is to be known of it. */
static void tell_installed(struct order *order)
{
	X509 *certificate = pem_first_certificate(store_text(order_store(order), CERTIFICATE));
	char *names = certificate_names(certificate), *issuer = certificate_issuer(certificate);
	char digits[CERTIFICATE_FINGERPRINT_DIGITS + 1], date[40] = "";
	struct names federated = { 0 };
	int64_t end = 0;
	struct tm parts;
	time_t when;

	certificate_fingerprint(certificate, digits);
	if (certificate_end(certificate, &end) && (when = (time_t)end, gmtime_r(&when, &parts)))
		strftime(date, sizeof(date), "%Y-%m-%d", &parts);
	buffer_printf(&order->out,
		      "installed; new streams use it\nnames: %s\nissuer: %s\nends: %s\nSHA-256: "
		      "%s\n",
		      *names ? names : "none", issuer, date, digits);
	add_federated(&federated, order_store(order));
	for (size_t i = 0; i < federated.count; i++) {
		if (!certificate_covers(certificate, federated.list[i]))
			buffer_printf(&order->out,
				      "not covered: %s; peers that require a valid certificate "
				      "refuse it there\n",
				      federated.list[i]);
	}
	if (X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0) != 1)
		buffer_append_text(&order->out,
				   "warning: by its extended key usage it is not for servers\n");
	names_finish(&federated);
	free(names);
	free(issuer);
	X509_free(certificate);
}

bool order_cert_install(struct order *order, char **why)
{
	struct plan plan = { 0 };

	if (!is_edge(order, why))
		return false;
	if (!plan_install(order, &plan, order->words[0], why)) {
		plan_finish(&plan);
		return false;
	}
	if (!order_carry_out(order, &plan, why))
		return false;
	buffer_finish(&order->out);
	tell_installed(order);
	return true;
}
