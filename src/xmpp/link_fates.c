#include "xmpp/link_fates.h"

#include "base/alloc.h"
#include "xmpp/number_ranges.h"

#include <assert.h>
#include <stdlib.h>

struct link_fate_kind {
	char origin[LINK_INSTANCE_LEN + 1];
	enum link_fate fate;
	enum failure failure;
	struct number_ranges numbers;
};

static const char *const names[] = {
	[LINK_DELIVERED] = "delivered",
	[LINK_WRITTEN] = "written",
	[LINK_REFUSED] = "refused",
	[LINK_UNCERTAIN] = "uncertain",
};

bool link_fate_read(struct slice name, enum link_fate *fate)
{
	for (size_t i = 0; i < nitems(names); i++) {
		if (slice_is(name, names[i])) {
			*fate = (enum link_fate)i;
			return true;
		}
	}
	return false;
}

static void write_kind(struct link_fate_kind *kind, struct buffer *out)
{
	buffer_printf(out, "<l:fate o='%s' is='%s' n='", kind->origin, names[kind->fate]);
	number_ranges_write(&kind->numbers, out);
	if (kind->fate == LINK_REFUSED)
		buffer_printf(out, "' why='%s", failure_name(kind->failure));
	buffer_append_text(out, "'/>");
	number_ranges_finish(&kind->numbers);
}

static struct link_fate_kind *find_kind(struct link_fates *fates, const char *origin,
					enum link_fate fate, enum failure failure)
{
	/* from the end: what comes is most often like what came last */
	for (size_t i = fates->count; i > 0; i--) {
		struct link_fate_kind *kind = &fates->kinds[i - 1];

		if (kind->fate == fate && kind->failure == failure &&
		    memcmp(kind->origin, origin, LINK_INSTANCE_LEN) == 0)
			return kind;
	}
	return NULL;
}

static struct link_fate_kind *add_kind(struct link_fates *fates, struct buffer *out,
				       const char *origin, enum link_fate fate,
				       enum failure failure)
{
	struct link_fate_kind *kind;

	if (fates->count == LINK_FATES_KINDS)
		link_fates_write(fates, out);
	if (!fates->kinds)
		fates->kinds = xmalloc(LINK_FATES_KINDS * sizeof(*fates->kinds));
	kind = &fates->kinds[fates->count++];
	*kind = (struct link_fate_kind){ .fate = fate, .failure = failure };
	memcpy(kind->origin, origin, LINK_INSTANCE_LEN);
	return kind;
}

void link_fates_add(struct link_fates *fates, struct buffer *out, const char *origin,
		    uint64_t number, enum link_fate fate, enum failure failure)
{
	struct link_fate_kind *kind = find_kind(fates, origin, fate, failure);

	assert(strlen(origin) == LINK_INSTANCE_LEN);
	if (!kind)
		kind = add_kind(fates, out, origin, fate, failure);
	/* one more may be one range more, and the peer takes no more in one element */
	if (kind->numbers.count == NUMBER_RANGES_MAX)
		write_kind(kind, out);
	number_ranges_add(&kind->numbers, number);
}

void link_fates_write(struct link_fates *fates, struct buffer *out)
{
	for (size_t i = 0; i < fates->count; i++) {
		if (fates->kinds[i].numbers.count)
			write_kind(&fates->kinds[i], out);
	}
	link_fates_finish(fates);
}

void link_fates_finish(struct link_fates *fates)
{
	for (size_t i = 0; i < fates->count; i++)
		number_ranges_finish(&fates->kinds[i].numbers);
	free(fates->kinds);
	*fates = (struct link_fates){ 0 };
}
