/* Values as people see them: secrets and PEM as fingerprints, long lists as their length. */
#ifndef PROCESS_VALUE_TEXT_H
#define PROCESS_VALUE_TEXT_H

#include "base/buffer.h"
#include "tables/settings.h"

/* "NAME = VALUE\n" for each entry. */
void value_text_lines(struct buffer *out, const struct setting *setting,
		      const struct setting_value *value);
/* All of it in one line, without its end. */
void value_text_line(struct buffer *out, const struct setting *setting,
		     const struct setting_value *value);

#endif
