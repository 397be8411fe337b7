pub async fn run(_: Option<&std::path::Path>, _: crate::args::Demo) -> Result<(), crate::exit::Failure> {
    Ok(())
}
