//! The phones' page is embedded from `web/dist/simulator`. It may not have been built yet: an empty folder is enough to
//! compile, and the simulator then says which command builds it.

fn main() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/dist/simulator");
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(error) = std::fs::create_dir_all(&folder) {
        println!("cargo::warning=cannot create {}: {error}", folder.display());
    }
}
