#include "ctl/screen.h"

#include "base/alloc.h"

/* The length of the control character that the text begins with; 0: it is none. */
static size_t control_at(const unsigned char *at, size_t left)
{
	if (at[0] < 0x20 || at[0] == 0x7f)
		return at[0] != '\n' && at[0] != '\t';
	if (left >= 2 && at[0] == 0xc2 && at[1] >= 0x80 && at[1] <= 0x9f)
		return 2; /* C1: U+0080 to U+009F */
	if (left >= 3 && at[0] == 0xe2 && at[1] == 0x80 &&
	    (at[2] == 0x8e || at[2] == 0x8f || (at[2] >= 0xaa && at[2] <= 0xae)))
		return 3; /* U+200E, U+200F, U+202A to U+202E */
	if (left >= 3 && at[0] == 0xe2 && at[1] == 0x81 && at[2] >= 0xa6 && at[2] <= 0xa9)
		return 3; /* U+2066 to U+2069 */
	return 0;
}

char *screen_text(struct slice text)
{
	const unsigned char *from = (const unsigned char *)text.data;
	char *clean = xmalloc(text.len + 1), *to = clean;

	for (size_t i = 0; i < text.len;) {
		size_t control = control_at(from + i, text.len - i);

		*to++ = control ? '?' : (char)from[i];
		i += control ? control : 1;
	}
	*to = '\0';
	return clean;
}
