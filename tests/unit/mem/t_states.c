// SPDX-License-Identifier: Apache-2.0
#include "fake.h"
#include "mem/states.h"
#include "unit.h"

#define AT    ((uint64_t)0x7f0000000000)
#define PAGE  UINT64_C(4096)
#define BLOCK (STATES_BLOCK * PAGE)

static void begin(struct fake *fake, struct states *states)
{
	struct ari_error err;

	fake_init(fake, PAGE);
	fake_map(fake, AT, 2 * BLOCK, "rw-p", "");
	ck_works(states_open(&fake->mem, states, &err), &err);
}

static void end(struct fake *fake, struct states *states)
{
	states_close(states);
	fake_done(fake);
}

static unsigned int state_of(struct states *states, uint64_t address)
{
	struct ari_error err;
	uint8_t state;

	ck_works(states_get(states, address, &state, &err), &err);
	return page_state(state);
}

TEST(one_look_does_for_a_block)
{
	struct fake fake;
	struct states states;

	begin(&fake, &states);
	fake_set_pages(&fake, AT + PAGE, 1, PAGE_SWAPPED);
	fake_set_pages(&fake, AT + BLOCK - PAGE, 1, PAGE_ZERO);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_PRESENT);
	ck_assert_uint_eq(state_of(&states, AT + PAGE), PAGE_SWAPPED);
	ck_assert_uint_eq(state_of(&states, AT + 2 * PAGE - 1), PAGE_SWAPPED);
	ck_assert_uint_eq(state_of(&states, AT + BLOCK - PAGE), PAGE_ZERO);
	ck_assert_uint_eq(fake.lookups, 1);
	ck_assert_uint_eq(state_of(&states, AT + BLOCK), PAGE_PRESENT);
	ck_assert_uint_eq(fake.lookups, 2);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_PRESENT);
	ck_assert_uint_eq(fake.lookups, 2);
	ck_assert_uint_eq(fake.copies, 0);
	end(&fake, &states);
}

TEST(states_are_old_until_they_are_forgotten)
{
	struct fake fake;
	struct states states;

	begin(&fake, &states);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_PRESENT);
	fake_set_pages(&fake, AT, 1, PAGE_ABSENT);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_PRESENT);
	states_forget(&states);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_ABSENT);
	end(&fake, &states);
}

/* Two blocks that share a slot take turns in it; the second is not mapped. */
TEST(blocks_of_one_slot_are_not_confused)
{
	struct fake fake;
	struct states states;
	uint64_t other = AT + STATES_BLOCKS * BLOCK;

	begin(&fake, &states);
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_uint_eq(state_of(&states, AT), PAGE_PRESENT);
		ck_assert_uint_eq(state_of(&states, other), PAGE_ABSENT);
	}
	ck_assert_uint_eq(fake.lookups, 4);
	end(&fake, &states);
}

/* What a look that failed left behind is believed by nobody. */
TEST(failed_look_leaves_nothing)
{
	struct fake fake;
	struct states states;
	struct ari_error err;
	uint8_t state;

	begin(&fake, &states);
	fake.blind = true;
	ck_fails(states_get(&states, AT, &state, &err), &err, ARI_GONE);
	fake.blind = false;
	fake_set_pages(&fake, AT, 1, PAGE_SWAPPED);
	ck_assert_uint_eq(state_of(&states, AT), PAGE_SWAPPED);
	end(&fake, &states);
}

UNIT_MAIN("mem/states", one_look_does_for_a_block,
	  states_are_old_until_they_are_forgotten, blocks_of_one_slot_are_not_confused,
	  failed_look_leaves_nothing)
