#include "router/s2s_internal.h"

#include <inttypes.h>
#include <stdio.h>

void s2s_tally_ready(struct s2s_tally *tally, const struct s2s_name *name, const char *tls,
		     uint64_t took_ms)
{
	tally->ready[name->out]++;
	histogram_add(&tally->setup[name->out], took_ms);
	++*(!tls[0]			  ? &tally->tls_none
	    : strcmp(tls, "TLSv1.2") == 0 ? &tally->tls_1_2
					  : &tally->tls_1_3);
}

static void add(struct buffer *out, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	snapshot_add(out, &(struct snapshot_record){
				  3, { slice_of("counter"), slice_of(name), slice_of(text) } });
}

static void add_setups(const struct s2s_tally *tally, bool is_out, struct buffer *out)
{
	const char *direction = is_out ? "out" : "in";
	char name[80];

	snprintf(name, sizeof(name), "setups.%s.ready", direction);
	add(out, name, tally->ready[is_out]);
	for (enum failure f = FAILURE_NONE + 1; f < FAILURE_COUNT; f++) {
		snprintf(name, sizeof(name), "setups.%s.failed.%s", direction, failure_name(f));
		if (tally->failed[is_out][f])
			add(out, name, tally->failed[is_out][f]);
	}
	snprintf(name, sizeof(name), "setup_%s", direction);
	histogram_write(&tally->setup[is_out], name, out);
}

void s2s_tally_write(const struct s2s_tally *tally, struct buffer *out)
{
	add_setups(tally, false, out);
	add_setups(tally, true, out);
	add(out, "tls.1.2", tally->tls_1_2);
	add(out, "tls.1.3", tally->tls_1_3);
	add(out, "tls.none", tally->tls_none);
	add(out, "dialback.keys.valid", tally->keys_valid);
	add(out, "dialback.keys.invalid", tally->keys_invalid);
	add(out, "dialback.verified.valid", tally->verified[S2S_VALID]);
	add(out, "dialback.verified.invalid", tally->verified[S2S_INVALID]);
	add(out, "dialback.verified.error", tally->verified[S2S_VERDICT_ERROR]);
}
