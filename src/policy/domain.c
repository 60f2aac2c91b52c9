#include "policy/domain.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <idn2.h>

#define LABEL_BYTES 63 /* RFC 1035 2.3.4 */

/* ASCII by hand: tolower and friends follow the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_label_char(char c)
{
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
}

static void to_lower_case(char *text)
{
	for (; *text; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return *text == '\0';
}

static bool has_a_label(const char *name)
{
	return strncmp(name, "xn--", 4) == 0 || strstr(name, ".xn--") != NULL;
}

/* The characters that RFC 6122 and RFC 7622 read differently; see the header. */
static bool reads_two_ways(const char *ascii)
{
	static const char *const deviations[] = {
		"\xc3\x9f",	/* sharp s */
		"\xcf\x82",	/* final sigma */
		"\xe2\x80\x8c", /* zero width non-joiner */
		"\xe2\x80\x8d", /* zero width joiner */
	};
	bool found = false;
	char *text;

	if (idn2_to_unicode_8z8z(ascii, &text, 0) != IDN2_OK)
		return true;
	for (size_t i = 0; i < nitems(deviations); i++)
		found |= strstr(text, deviations[i]) != NULL;
	idn2_free(text);
	return found;
}

/*
 * U-labels become A-labels, A-labels are checked; both in place. Not IDN2_USE_STD3_ASCII_RULES: it
 * deletes the characters it dislikes, which would turn one domain into another.
 */
static bool to_a_labels(char *name, size_t size)
{
	bool had_u_labels = !is_ascii(name), fits;
	uint8_t *ascii;
	size_t len;

	if (idn2_lookup_u8((const uint8_t *)name, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return false;
	len = strlen((char *)ascii);
	fits = len < size && !(had_u_labels && reads_two_ways((char *)ascii));
	if (fits)
		memcpy(name, ascii, len + 1);
	idn2_free(ascii);
	return fits;
}

static bool is_label(const char *label, size_t len)
{
	bool a_label = len >= 4 && memcmp(label, "xn--", 4) == 0;

	if (len == 0 || len > LABEL_BYTES || label[0] == '-' || label[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_label_char(label[i]) || (a_label && label[i] == '_'))
			return false;
	}
	return true;
}

/* "1", "0x7f": what inet_aton takes for the last part of an address. */
static bool is_number(const char *label)
{
	if (strncmp(label, "0x", 2) == 0)
		return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
	return label[strspn(label, "0123456789")] == '\0';
}

static bool is_name(const char *name)
{
	for (;;) {
		size_t len = strcspn(name, ".");

		if (!is_label(name, len))
			return false;
		if (name[len] == '\0')
			return !is_number(name);
		name += len + 1;
	}
}

static bool is_ipv4(const char *name)
{
	struct in_addr in;

	return inet_pton(AF_INET, name, &in) == 1;
}

/* "[2001:DB8::0:1]" becomes "[2001:db8::1]", in place: the text gets no longer than
 * INET6_ADDRSTRLEN. */
static bool normalise_ipv6(char *name, size_t size)
{
	size_t len = strlen(name);
	struct in6_addr in;

	if (len < 2 || name[len - 1] != ']')
		return false;
	name[len - 1] = '\0';
	if (inet_pton(AF_INET6, name + 1, &in) != 1)
		return false;
	inet_ntop(AF_INET6, &in, name + 1, (socklen_t)(size - 2));
	len = strlen(name);
	name[len] = ']';
	name[len + 1] = '\0';
	return true;
}

/* One, with which a name is absolute (RFC 7622 3.2). */
static void strip_trailing_dot(char *name)
{
	size_t len = strlen(name);

	if (len > 0 && name[len - 1] == '.')
		name[len - 1] = '\0';
}

bool domain_prepare(struct slice text, char domain[DOMAIN_BYTES + 1])
{
	char name[JID_PART_BYTES + 1]; /* U-labels may take more bytes than their A-labels */
	size_t len;
	bool valid;

	if (text.len == 0 || text.len > JID_PART_BYTES || memchr(text.data, '\0', text.len))
		return false;
	memcpy(name, text.data, text.len);
	name[text.len] = '\0';
	to_lower_case(name);
	if (name[0] == '[') {
		strip_trailing_dot(name);
		valid = normalise_ipv6(name, sizeof(name));
	} else {
		if ((!is_ascii(name) || has_a_label(name)) && !to_a_labels(name, sizeof(name)))
			return false;
		strip_trailing_dot(name); /* only now: other full stops have become dots */
		valid = is_name(name) || is_ipv4(name); /* the usual first: this is a hot path */
	}
	len = strlen(name);
	if (!valid || len > DOMAIN_BYTES)
		return false;
	memcpy(domain, name, len + 1);
	return true;
}

bool domain_is_address(const char *domain)
{
	return domain[0] == '[' || is_ipv4(domain);
}

bool domain_is_below(const char *domain, const char *parent)
{
	size_t len = strlen(domain), parent_len = strlen(parent);

	return parent_len > 0 && len > parent_len + 1 && domain[len - parent_len - 1] == '.' &&
	       strcmp(domain + len - parent_len, parent) == 0;
}

static bool is_part(struct slice part)
{
	return part.len > 0 && part.len <= JID_PART_BYTES;
}

/* RFC 7622 3.1: first what follows the first '/' is cut off, then what precedes the first '@'. */
bool jid_split(struct slice text, struct jid *jid)
{
	struct jid parts = { .domain = text };
	const char *at, *slash = text.len ? memchr(text.data, '/', text.len) : NULL;

	if (slash) {
		parts.domain.len = (size_t)(slash - text.data);
		parts.resource = (struct slice){ slash + 1, text.len - parts.domain.len - 1 };
	}
	at = parts.domain.len ? memchr(text.data, '@', parts.domain.len) : NULL;
	if (at) {
		parts.local = (struct slice){ text.data, (size_t)(at - text.data) };
		parts.domain = (struct slice){ at + 1, parts.domain.len - parts.local.len - 1 };
	}
	if (!is_part(parts.domain) || (at && !is_part(parts.local)) ||
	    (slash && !is_part(parts.resource)) || memchr(parts.domain.data, '@', parts.domain.len))
		return false;
	*jid = parts;
	return true;
}

bool jid_domain(struct slice text, char domain[DOMAIN_BYTES + 1])
{
	struct jid jid;

	return jid_split(text, &jid) && domain_prepare(jid.domain, domain);
}
