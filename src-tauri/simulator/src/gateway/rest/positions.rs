//! Positions and trades over REST (gateway reference 3.5, 3.6). Closing sends a market order and leaves
//! all other orders alone.

use domain::Exposure;
use projectx::wire::{
    code::{CloseError, PartialCloseError},
    rest::{CloseContract, OfAccount, PartialCloseContract, Positions, SearchSince, Trades},
};

use super::{Answer, orders::plain, refuse_with, succeed};
use crate::gateway::{Gateway, HttpRequest, catalogue::ContractIndex, entry::SHUT, stamp::Precision};

/// Code of the searches for an account nobody knows.
const ACCOUNT_NOT_FOUND: i64 = 1;

impl Gateway {
    pub(super) fn search_open_positions(&mut self, request: &HttpRequest) -> Answer {
        let wanted: OfAccount = self.body(request)?;
        let Some(account) = self.account_index(wanted.account_id) else {
            return Ok(refuse_with(Positions { positions: None }, ACCOUNT_NOT_FOUND, None));
        };
        let rows = self.accounts[account].positions.iter();
        let rows = rows.map(|(contract, held)| self.position_row(account, *contract, held, Precision::Rest));
        Ok(succeed(Positions { positions: Some(rows.collect()) }))
    }

    pub(super) fn search_trades(&mut self, request: &HttpRequest) -> Answer {
        let search: SearchSince = self.body(request)?;
        let (from, to) = self.span(&search)?;
        let Some(account) = self.account_index(search.account_id) else {
            return Ok(refuse_with(Trades { trades: None }, ACCOUNT_NOT_FOUND, None));
        };
        let found = self.trades.of(account).rev().filter(|trade| from <= trade.at && trade.at <= to);
        let rows = found.map(|trade| self.trade_row(trade, Precision::Rest)).collect();
        Ok(succeed(Trades { trades: Some(rows) }))
    }

    pub(super) fn close_contract(&mut self, request: &HttpRequest) -> Answer {
        let wish: CloseContract = self.body(request)?;
        let refusal = match self.held(wish.account_id, &wish.contract_id) {
            Ok(_) if self.faults.market_closed => (CloseError::OrderRejected, Some(SHUT.to_string())),
            Ok((account, contract, held)) => {
                self.place_close(account, contract, held, held.0.abs());
                (CloseError::Success, None)
            }
            Err(Unheld::NoAccount) => (CloseError::AccountNotFound, None),
            Err(Unheld::NoContract) => (CloseError::ContractNotFound, None),
            Err(Unheld::Inactive) => (CloseError::ContractNotActive, None),
            Err(Unheld::Flat) => (CloseError::PositionNotFound, None),
        };
        Ok(plain(refusal.0.code(), refusal.1))
    }

    pub(super) fn partial_close_contract(&mut self, request: &HttpRequest) -> Answer {
        let wish: PartialCloseContract = self.body(request)?;
        let code = match self.held(wish.account_id, &wish.contract_id) {
            Ok((account, ..)) if !self.accounts[account].simulated => PartialCloseError::AccountRejected,
            Ok((.., held)) if wish.size <= 0 || wish.size > held.0.abs() => {
                PartialCloseError::InvalidCloseSize
            }
            Ok(_) if self.faults.market_closed => PartialCloseError::OrderRejected,
            Ok((account, contract, held)) => {
                self.place_close(account, contract, held, wish.size);
                PartialCloseError::Success
            }
            Err(Unheld::NoAccount) => PartialCloseError::AccountNotFound,
            Err(Unheld::NoContract) => PartialCloseError::ContractNotFound,
            Err(Unheld::Inactive) => PartialCloseError::ContractNotActive,
            Err(Unheld::Flat) => PartialCloseError::PositionNotFound,
        };
        Ok(plain(code.code(), None))
    }

    /// What is booked now: a fill that is under way does not count yet, so that two closes in quick
    /// succession do open the opposite position (gateway reference 9.7).
    fn held(&self, account: i64, contract: &str) -> Result<(usize, ContractIndex, Exposure), Unheld> {
        let account = self.account_index(account).ok_or(Unheld::NoAccount)?;
        let index = self.catalogue.find(contract).ok_or(Unheld::NoContract)?;
        if !self.catalogue.listing(index).instrument.active {
            return Err(Unheld::Inactive);
        }
        let held = self.accounts[account].exposure(index);
        if held.is_flat() { Err(Unheld::Flat) } else { Ok((account, index, held)) }
    }
}

/// Why there is nothing to close.
enum Unheld {
    NoAccount,
    NoContract,
    Inactive,
    Flat,
}
