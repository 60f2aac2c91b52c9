/*
 * What control is asked for when two nodes are paired, in words and in order: on who dialled, on
 * who accepted.
 */
#ifndef PROVISION_ORDERS_H
#define PROVISION_ORDERS_H

#include "provision/form.h"
#include "provision/pairing.h"

#define ORDERS_MAX 3

struct orders {			 /* all zero: none */
	char **list[ORDERS_MAX]; /* words, ended by NULL */
};

/* `dialled`: "192.0.2.1:2222". */
void orders_dialled(struct orders *orders, const struct pairing_self *other, const char *dialled);
/* `axl_password` empty: there is no AXL service here. */
void orders_accepted(struct orders *orders, const struct pairing_self *other,
		     const char *axl_password);
void orders_finish(struct orders *orders);

/* The address, with the host that was dialled where it has none ("-:7400"). */
void orders_address(const char *address, const char *dialled, char out[FORM_ENDPOINT_BYTES + 1]);

#endif
