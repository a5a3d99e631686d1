//! The panic handler, which nothing may call.

/// No code of the library can panic: were there any, this would be referenced, and linking would
/// fail for want of the symbol below.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn segloss_contains_panic_code() -> !;
    }
    segloss_contains_panic_code()
}
