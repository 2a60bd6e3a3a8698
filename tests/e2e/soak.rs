//! A short kill campaign; the long one is `make soak`.

use e2e_tests::Launch;

#[test]
fn peers_killed_at_random_moments_leave_everything_in_order() {
    let soak = Launch::new(env!("CARGO_BIN_EXE_soak")).env("SOAK_SECONDS", "5");
    let outcome = soak.run().done();
    print!("{}", outcome.text());
    assert!(
        outcome.text().contains("nothing left behind"),
        "{outcome:?}"
    );
}
