/* Any certificate that OpenSSL reads: its texts are one line of printable characters, and what is
 * said to cover a domain names it. */
#include "base/alloc.h"
#include "store/certificate.h"
#include "store/pem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void is_one_line(char *text)
{
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			abort();
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const unsigned char *at = bytes;
	X509 *certificate = d2i_X509(NULL, &at, (long)len);
	char digits[CERTIFICATE_FINGERPRINT_DIGITS + 1], *pem, *twice, *why = NULL;
	int64_t end;

	if (!certificate)
		return 0;
	is_one_line(certificate_names(certificate));
	is_one_line(certificate_subject(certificate));
	is_one_line(certificate_issuer(certificate));
	certificate_fingerprint(certificate, digits);
	certificate_end(certificate, &end);
	certificate_covers(certificate, "a.example");
	pem = pem_of_certificate(certificate);
	twice = xasprintf("%s%s", pem, pem);
	if (!certificate_check_chain(twice, 1800000000, &why) && !why)
		abort();
	free(why);
	free(twice);
	free(pem);
	X509_free(certificate);
	return 0;
}
