/*
 * The forms of what nodes say about themselves: names, pins, addresses with ports. All of it comes
 * from outside and goes into settings, so it is held against these first. No I/O.
 */
#ifndef PROVISION_FORM_H
#define PROVISION_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORM_NAME_BYTES 63
#define FORM_PIN_LEN 64
#define FORM_ENDPOINT_BYTES 63

bool form_is_name(const char *text); /* letters, digits, hyphens and dots; NULL is none */
bool form_is_pin(const char *text);  /* SHA-256 in lowercase hex */
bool form_is_role(const char *text);
/* "192.0.2.1:2222", "[2001:db8::1]:2222"; false for anything else. `ip` without brackets. */
bool form_endpoint(const char *text, char ip[FORM_ENDPOINT_BYTES + 1], uint16_t *port);
/* The same, or "-:7400". */
bool form_is_link_address(const char *text);

#endif
