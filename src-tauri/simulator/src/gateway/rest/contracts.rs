//! Contracts and history bars (gateway reference 3.2, 3.3). There is no live feed: `live` finds nothing.

use projectx::wire::{
    Number,
    code::{BarUnit, BarsError},
    model,
    rest::{AvailableContracts, Bars, ContractById, ContractFound, Contracts, RetrieveBars, SearchContracts},
};

use super::{Answer, refuse_with, succeed};
use crate::gateway::{
    Gateway, HttpRequest,
    catalogue::Listing,
    market::bars::{BARS_LIMIT, Bar, Query},
    stamp::{self, Precision},
};

/// Most rows of a search.
const FOUND_LIMIT: usize = 20;

/// Code of `Contract/searchById` for a contract nobody knows.
const CONTRACT_NOT_FOUND: i64 = 1;

impl Gateway {
    pub(super) fn search_contracts(&mut self, request: &HttpRequest) -> Answer {
        let search: SearchContracts = self.body(request)?;
        let found = if search.live {
            Vec::new()
        } else {
            let found = self.catalogue.search(search.search_text.as_deref().unwrap_or_default());
            found.into_iter().take(FOUND_LIMIT).map(Listing::wire).collect()
        };
        Ok(succeed(Contracts { contracts: Some(found) }))
    }

    pub(super) fn contract_by_id(&mut self, request: &HttpRequest) -> Answer {
        let wanted: ContractById = self.body(request)?;
        Ok(match self.catalogue.find(&wanted.contract_id) {
            Some(index) => succeed(ContractFound { contract: Some(self.catalogue.listing(index).wire()) }),
            None => refuse_with(ContractFound { contract: None }, CONTRACT_NOT_FOUND, None),
        })
    }

    pub(super) fn available_contracts(&mut self, request: &HttpRequest) -> Answer {
        let wanted: AvailableContracts = self.body(request)?;
        let fronts = self.catalogue.fronts().filter(|_| !wanted.live).map(Listing::wire).collect();
        Ok(succeed(Contracts { contracts: Some(fronts) }))
    }

    pub(super) fn retrieve_bars(&mut self, request: &HttpRequest) -> Answer {
        let wanted: RetrieveBars = self.body(request)?;
        let from = self.time("startTime", &wanted.start_time)?;
        let to = self.time("endTime", &wanted.end_time)?;
        let refused = |code: BarsError| Ok(refuse_with(Bars { bars: None }, code.code(), None));
        let Some(index) = self.catalogue.find(&wanted.contract_id) else {
            return refused(BarsError::ContractNotFound);
        };
        let Ok(unit) = BarUnit::try_from(wanted.unit) else { return refused(BarsError::UnitInvalid) };
        if wanted.unit_number < 1 {
            return refused(BarsError::UnitNumberInvalid);
        }
        let limit = match usize::try_from(wanted.limit) {
            Ok(limit @ 1..=BARS_LIMIT) => limit,
            Ok(_) | Err(_) => return refused(BarsError::LimitInvalid),
        };
        let number = wanted.unit_number;
        let query = Query { unit, number, from, to, limit, partial: wanted.include_partial_bar };
        self.watch(index);
        let bars = if wanted.live { Vec::new() } else { self.books[index.0].bars.query(self.now, query) };
        Ok(succeed(Bars { bars: Some(bars.iter().map(row).collect()) }))
    }
}

fn row(bar: &Bar) -> model::Bar {
    let start = chrono::DateTime::from_timestamp(bar.start, 0).unwrap_or_default();
    model::Bar {
        t: stamp::write(start, Precision::Rest),
        o: Number(bar.open),
        h: Number(bar.high),
        l: Number(bar.low),
        c: Number(bar.close),
        v: bar.volume,
    }
}
