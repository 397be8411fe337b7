//! Answering calls as the broker does, or as bad luck has it.

use super::*;

impl World {
    pub(super) fn serve(&mut self, ask: Ask) -> (TimeDelta, Reply) {
        let Ask { id, call, .. } = ask;
        let was_justified = self.justified.remove(&id);
        let way = self.dice.way();
        let late = TimeDelta::seconds(2);
        let name = format!("{call:?}");
        let planned = self.failing.iter().position(|(of, _)| name.starts_with(of));
        let fate = match planned {
            Some(index) => Fate::Refused(self.failing.remove(index).1),
            None => self.dice.fate(!is_query(&call)),
        };
        if let (Call::Reduce { account, contract, by }, Fate::Fine | Fate::Misreported(_), false) =
            (&call, &fate, was_justified)
        {
            self.check_excess(account, contract, by.0);
        }
        let (after, result) = match fate {
            Fate::Fine => (way, self.answer(&call, was_justified)),
            Fate::Refused(error @ CallError::TimedOut(_)) => (late, Err(error)),
            Fate::Refused(error) => (way, Err(error)),
            Fate::Misreported(error) => {
                let executed = self.answer(&call, was_justified).is_ok();
                let after = if matches!(error, CallError::TimedOut(_)) { late } else { way };
                self.note(format!("misreported, executed: {executed}"));
                (after, Err(error))
            }
        };
        if !is_query(&call) || result.is_err() {
            self.note(format!("{call:?} -> {result:?}"));
        }
        let waited = std::time::Duration::ZERO;
        (after, Reply { id, result, waited, server_time: None })
    }

    fn answer(&mut self, call: &Call, was_justified: bool) -> Result<Answer, CallError> {
        match call {
            Call::Accounts => Ok(Answer::Accounts(self.accounts.iter().map(broker::account).collect())),
            Call::Watch(accounts) => {
                // Nothing new to confirm, nothing said.
                let wanted: BTreeSet<_> = accounts.iter().cloned().collect();
                let is_news = wanted != self.watched;
                self.watched = wanted;
                if self.is_streaming && is_news {
                    let way = self.dice.way();
                    self.post(way, Parcel::Link(Link::UserUp));
                }
                Ok(Answer::Noted)
            }
            Call::WatchQuotes(contracts) => {
                let fresh: Vec<_> =
                    contracts.iter().filter(|it| !self.quotes.contains(it)).cloned().collect();
                self.quotes.clone_from(contracts);
                fresh.iter().for_each(|contract| self.quote(contract));
                Ok(Answer::Noted)
            }
            Call::Snapshot { account, .. } if !self.accounts.contains(account) => Err(CallError::Refused {
                code: 0,
                text: "the login has no such account".to_string(),
                kind: domain::broker::Refusal::Other,
            }),
            Call::Snapshot { account, fills_since } => {
                let mine = self.broker.fills.iter().filter(|fill| fill.account == *account);
                Ok(Answer::Snapshot(Box::new(Snapshot {
                    account: broker::account(account),
                    positions: self.broker.open_positions(account),
                    orders: self.broker.listed(account),
                    fills: mine.filter(|fill| fill.at >= *fills_since).cloned().collect(),
                    asked_at: self.now,
                })))
            }
            Call::WorkingOrders(account) => Ok(Answer::WorkingOrders(self.broker.listed(account))),
            Call::Verify { account, orders_since } => Ok(Answer::Verified {
                positions: self.broker.open_positions(account),
                orders: self.broker.created_since(account, *orders_since),
            }),
            Call::Instrument(contract) => Ok(Answer::Instrument(broker::instrument(contract))),
            Call::SearchInstruments(_) | Call::LatestBar(_) => Err(CallError::NotFound),
            Call::Close { account, contract } => self.close(account, contract, None),
            Call::Reduce { account, contract, by } => self.close(account, contract, Some(*by)),
            Call::Cancel { order, .. } => {
                let events = self.broker.cancel(order).ok_or(CallError::NotFound)?;
                self.tell(events);
                Ok(Answer::Accepted)
            }
            Call::Place { account, ticket, tag } => {
                self.place_protective(account, ticket, tag, was_justified)
            }
            Call::Modify { account, order, ticket } => self.modify(account, order, ticket, was_justified),
            Call::Resize { order, size, .. } => {
                let events = self.broker.resize(order, *size).ok_or(CallError::NotFound)?;
                self.tell(events);
                Ok(Answer::Accepted)
            }
        }
    }

    /// A protective order that arrives: it reduces what is held, unless the trader was faster, and its tag
    /// was never used.
    fn place_protective(
        &mut self,
        account: &AccountId,
        ticket: &domain::Ticket,
        tag: &str,
        was_justified: bool,
    ) -> Result<Answer, CallError> {
        if self.broker.has_tag(tag) {
            return Err(refused("the tag is in use"));
        }
        if !self.broker.is_before_market(ticket) {
            return Err(refused("invalid stop price"));
        }
        self.check_protective(account, ticket, Contracts::ZERO, was_justified);
        let kind = if ticket.leg == Leg::Stop { OrderKind::Stop } else { OrderKind::Limit };
        let (side, size, price) = (ticket.side, ticket.size.0, ticket.price.0);
        let (account, contract) = (account.clone(), ticket.contract.clone());
        let twin = self.broker.working().find(|it| {
            it.account == account
                && it.contract == contract
                && it.kind == kind
                && it.side == side
                && it.is_own()
        });
        let twin = twin.map(|order| order.id.clone());
        self.check(twin.is_none(), || format!("placed twice: {ticket:?} beside {twin:?}"));
        self.place(
            &Ticket { account, contract, side, kind, size, price, parent: None, tag: Some(tag.to_string()) },
            false,
        );
        Ok(Answer::Accepted)
    }

    fn modify(
        &mut self,
        account: &AccountId,
        order: &OrderId,
        ticket: &domain::Ticket,
        was_justified: bool,
    ) -> Result<Answer, CallError> {
        if !self.broker.is_before_market(ticket) {
            return Err(refused("invalid stop price"));
        }
        let before = self.broker.order(order).clone();
        if before.status.is_working() {
            self.check_protective(account, ticket, before.filled, was_justified);
            self.check(!ticket.loosens(&before), || format!("loosened: {before:?} to {ticket:?}"));
        }
        let events = self.broker.change(order, ticket).ok_or(CallError::NotFound)?;
        self.tell(events);
        Ok(Answer::Accepted)
    }

    fn close(
        &mut self,
        account: &AccountId,
        contract: &ContractId,
        by: Option<Contracts>,
    ) -> Result<Answer, CallError> {
        let held = self.broker.size(account, contract);
        if held == 0 {
            return Err(CallError::NotFound);
        }
        let open = u32::try_from(held.abs()).unwrap();
        let size = by.map_or(open, |by| by.0);
        if size == 0 || size > open {
            let kind = domain::broker::Refusal::Size;
            return Err(CallError::Refused { code: 5, text: "InvalidCloseSize".to_string(), kind });
        }
        let twice = self.broker.working().any(|order| {
            order.account == *account && order.contract == *contract && self.broker.is_own(&order.id)
        });
        self.check(!twice, || format!("two closes of {contract} under way"));
        let side = if held > 0 { OrderSide::Sell } else { OrderSide::Buy };
        let ticket = Ticket {
            account: account.clone(),
            contract: contract.clone(),
            side,
            kind: OrderKind::Market,
            size,
            price: self.broker.price(contract),
            parent: None,
            tag: None,
        };
        self.place(&ticket, true);
        Ok(Answer::Accepted)
    }
}

fn refused(text: &str) -> CallError {
    CallError::Refused { code: 2, text: text.to_string(), kind: domain::broker::Refusal::Other }
}
