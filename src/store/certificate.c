#include "store/certificate.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "store/hex.h"
#include "store/pem.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SRV_NAME "1.3.6.1.5.5.7.8.7" /* id-on-dnsSRV, RFC 4985 */
#define SRV_SERVICE "_xmpp-server."
#define COMMON_NAME_BYTES 64 /* ub-common-name, RFC 5280 */
#define LATE_S 300	     /* that our clock may be behind the authority's */

static char *name_text(X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *data, *text;
	long len;

	if (!bio)
		abort(); /* out of memory */
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	len = BIO_get_mem_data(bio, &data);
	text = xstrndup(data, (size_t)len);
	BIO_free(bio);
	return text;
}

char *certificate_subject(X509 *certificate)
{
	return name_text(X509_get_subject_name(certificate));
}

char *certificate_issuer(X509 *certificate)
{
	return name_text(X509_get_issuer_name(certificate));
}

/* The text of a dNSName or SRVName; an absent slice: another kind of name, or not of ASCII. */
static struct slice shown_name(const GENERAL_NAME *name, ASN1_OBJECT *srv)
{
	int type;
	const void *value = GENERAL_NAME_get0_value(name, &type);
	const ASN1_STRING *string = NULL;
	struct slice text;

	if (type == GEN_DNS)
		string = value;
	else if (type == GEN_OTHERNAME && OBJ_cmp(((const OTHERNAME *)value)->type_id, srv) == 0 &&
		 ((const OTHERNAME *)value)->value->type == V_ASN1_IA5STRING)
		string = ((const OTHERNAME *)value)->value->value.ia5string;
	if (!string)
		return (struct slice){ 0 };
	text = (struct slice){ (const char *)ASN1_STRING_get0_data(string),
			       (size_t)ASN1_STRING_length(string) };
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == ',')
			return (struct slice){ 0 };
	}
	return text;
}

typedef bool name_fn(void *arg, struct slice name); /* false: enough */

static void each_name(X509 *certificate, name_fn *take, void *arg)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	ASN1_OBJECT *srv = OBJ_txt2obj(SRV_NAME, 1);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		struct slice name = shown_name(sk_GENERAL_NAME_value(names, i), srv);

		if (name.data && !take(arg, name))
			break;
	}
	ASN1_OBJECT_free(srv);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
}

static bool add_name(void *arg, struct slice name)
{
	struct buffer *out = arg;

	if (buffer_len(out) + name.len > CERTIFICATE_NAMES_BYTES) {
		buffer_append_text(out, ",...");
		return false;
	}
	buffer_printf(out, "%s%.*s", buffer_len(out) ? "," : "", SLICE_ARGS(name));
	return true;
}

char *certificate_names(X509 *certificate)
{
	struct buffer out = { 0 };

	each_name(certificate, add_name, &out);
	return buffer_take_text(&out);
}

void certificate_fingerprint(X509 *certificate, char digits[CERTIFICATE_FINGERPRINT_DIGITS + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };

	X509_digest(certificate, EVP_sha256(), digest, NULL);
	hex_write(digest, CERTIFICATE_FINGERPRINT_DIGITS / 2, digits);
}

static bool time_of(const ASN1_TIME *time, int64_t *seconds)
{
	struct tm parts;

	if (!ASN1_TIME_to_tm(time, &parts))
		return false;
	*seconds = (int64_t)timegm(&parts);
	return true;
}

bool certificate_end(X509 *certificate, int64_t *end_s)
{
	return time_of(X509_get0_notAfter(certificate), end_s);
}

struct search {
	char *name;
	bool found;
};

static bool is_name(void *arg, struct slice name)
{
	struct search *search = arg;

	search->found = name.len == strlen(search->name) &&
			strncasecmp(name.data, search->name, name.len) == 0;
	return !search->found;
}

bool certificate_covers(X509 *certificate, const char *domain)
{
	struct search search = { xasprintf(SRV_SERVICE "%s", domain), false };

	if (X509_check_host(certificate, domain, strlen(domain),
			    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
				    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
			    NULL) == 1)
		search.found = true;
	else
		each_name(certificate, is_name, &search);
	ERR_clear_error();
	free(search.name);
	return search.found;
}

/* Chains */

static void date_text(int64_t seconds, char text[40])
{
	time_t when = (time_t)seconds;
	struct tm parts;

	if (!gmtime_r(&when, &parts) || !strftime(text, 40, "%Y-%m-%d %H:%M UTC", &parts))
		snprintf(text, 40, "a date that cannot be read");
}

static bool is_valid_now(X509 *certificate, int64_t now_s, char **why)
{
	int64_t begin, end;
	char *subject, date[40];
	bool good;

	if (!time_of(X509_get0_notBefore(certificate), &begin) ||
	    !certificate_end(certificate, &end)) {
		*why = xstrdup("a certificate has a date that cannot be read");
		return false;
	}
	good = begin <= now_s + LATE_S && end > now_s;
	if (good)
		return true;
	subject = certificate_subject(certificate);
	date_text(end <= now_s ? end : begin, date);
	*why = xasprintf("the certificate of %s %s %s", subject,
			 end <= now_s ? "ended on" : "does not begin before", date);
	free(subject);
	return false;
}

static bool is_issued_by(X509 *certificate, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	bool issued = X509_check_issued(issuer, certificate) == X509_V_OK && key &&
		      X509_verify(certificate, key) == 1;

	ERR_clear_error();
	return issued;
}

bool certificate_check_chain(const char *certificates, int64_t now_s, char **why)
{
	STACK_OF(X509) *chain = pem_all_certificates(certificates);
	bool good = true;

	for (int i = 0; i < sk_X509_num(chain) && good; i++) {
		X509 *certificate = sk_X509_value(chain, i);

		good = is_valid_now(certificate, now_s, why);
		if (good && i > 0 && !is_issued_by(sk_X509_value(chain, i - 1), certificate)) {
			char *subject = certificate_subject(certificate);

			*why = xasprintf("certificate %d in it (%s) did not issue the one before: "
					 "the node's comes first, then its chain",
					 i + 1, subject);
			free(subject);
			good = false;
		}
	}
	sk_X509_pop_free(chain, X509_free);
	return good;
}

/* Requests */

static GENERAL_NAME *dns_name(const char *name)
{
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	GENERAL_NAME *general = GENERAL_NAME_new();

	if (!text || !general || !ASN1_STRING_set(text, name, -1))
		abort(); /* out of memory */
	GENERAL_NAME_set0_value(general, GEN_DNS, text);
	return general;
}

static GENERAL_NAME *srv_name(const char *name)
{
	char *service = xasprintf(SRV_SERVICE "%s", name);
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();
	ASN1_TYPE *value = ASN1_TYPE_new();
	GENERAL_NAME *general = GENERAL_NAME_new();

	if (!text || !value || !general || !ASN1_STRING_set(text, service, -1))
		abort();
	free(service);
	ASN1_TYPE_set(value, V_ASN1_IA5STRING, text);
	if (!GENERAL_NAME_set0_othername(general, OBJ_txt2obj(SRV_NAME, 1), value))
		abort();
	return general;
}

static bool add_names(STACK_OF(X509_EXTENSION) * *extensions, const char *const *names,
		      size_t count)
{
	GENERAL_NAMES *all = GENERAL_NAMES_new();
	bool added;

	for (size_t i = 0; i < count; i++)
		sk_GENERAL_NAME_push(all, dns_name(names[i]));
	for (size_t i = 0; i < count; i++)
		sk_GENERAL_NAME_push(all, srv_name(names[i]));
	added = X509V3_add1_i2d(extensions, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1;
	GENERAL_NAMES_free(all);
	return added;
}

static bool add_use(STACK_OF(X509_EXTENSION) * *extensions, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool added = extension && X509v3_add_ext(extensions, extension, -1);

	X509_EXTENSION_free(extension);
	return added;
}

static bool fill(X509_REQ *request, EVP_PKEY *key, const char *const *names, size_t count)
{
	STACK_OF(X509_EXTENSION) *extensions = NULL;
	X509_NAME *subject = X509_REQ_get_subject_name(request);
	const unsigned char *common = (const unsigned char *)names[0];
	bool filled = X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
		      (strlen(names[0]) > COMMON_NAME_BYTES ||
		       X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, common,
						  -1, -1, 0)) &&
		      X509_REQ_set_pubkey(request, key) && add_names(&extensions, names, count) &&
		      add_use(&extensions, NID_key_usage, "critical,digitalSignature") &&
		      add_use(&extensions, NID_ext_key_usage, "serverAuth,clientAuth") &&
		      X509_REQ_add_extensions(request, extensions) &&
		      X509_REQ_sign(request, key, EVP_sha256());

	sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
	return filled;
}

char *certificate_request(EVP_PKEY *key, const char *const *names, size_t count)
{
	X509_REQ *request = X509_REQ_new();
	char *text = NULL;

	if (request && fill(request, key, names, count))
		text = pem_of_request(request);
	X509_REQ_free(request);
	ERR_clear_error();
	return text;
}

char *certificate_new_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *text = key ? pem_of_key(key) : NULL;

	EVP_PKEY_free(key);
	return text;
}
