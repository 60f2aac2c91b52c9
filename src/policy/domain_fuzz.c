#include "policy/domain.h"

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What is prepared stays as it is, and its U-labels, where they are taken, give the same text. */
static void check_prepared(const char *domain)
{
	char again[DOMAIN_BYTES + 1], *text;

	must(strlen(domain) > 0 && strlen(domain) <= DOMAIN_BYTES);
	must(strspn(domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.[]:") == strlen(domain));
	must(domain_prepare(slice_of(domain), again) && strcmp(domain, again) == 0);
	if (!domain_is_address(domain) && idn2_to_unicode_8z8z(domain, &text, 0) == IDN2_OK) {
		must(!domain_prepare(slice_of(text), again) || strcmp(domain, again) == 0);
		idn2_free(text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	char domain[DOMAIN_BYTES + 1], of_jid[DOMAIN_BYTES + 1];
	bool is_domain = domain_prepare(text, domain), is_jid = jid_domain(text, of_jid);
	struct jid jid;

	if (is_domain)
		check_prepared(domain);
	if (is_jid)
		check_prepared(of_jid);
	must(!is_domain || (is_jid && strcmp(domain, of_jid) == 0)); /* a bare domain is a JID */
	if (jid_split(text, &jid))
		must(jid.domain.len + jid.local.len + (jid.local.data != NULL) + jid.resource.len +
			     (jid.resource.data != NULL) ==
		     size);
	return 0;
}
