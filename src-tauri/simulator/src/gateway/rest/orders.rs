//! Orders over REST: placing, changing, finding (gateway reference 3.4). Suspended and pending orders
//! are in no list.

use domain::Instant;
use projectx::wire::{
    code::{OrderSide, OrderStatus, OrderType, PlaceError},
    model,
    rest::{
        ModifyOrder, OfAccount, OrderFilter, OrderFound, OrderPage, OrderRef, Orders, PlaceOrder, Placed,
        QueryOrders, SearchSince,
    },
};

use super::{Answer, done, refuse, refuse_with, succeed};
use crate::gateway::{
    Gateway, HttpRequest, HttpResponse, entry::Placement, events::is_listed, order::Order, stamp::Precision,
};

/// Most rows of a page of `Order/v2/query`.
const PAGE_LIMIT: usize = 100;

/// Code of the searches for an account nobody knows.
const ACCOUNT_NOT_FOUND: i64 = 1;

/// Code of `Order/searchById` for an order nobody knows.
const ORDER_NOT_FOUND: i64 = 1;

/// Enum of `Order/v2/query`: what rows are sorted by.
const SORT_BY: std::ops::RangeInclusive<i64> = 0..=1;

/// Enum of `Order/v2/query`: ascending or descending.
const DESCENDING: i64 = 1;

impl Gateway {
    pub(super) fn place_order(&mut self, request: &HttpRequest) -> Answer {
        let order: PlaceOrder = self.body(request)?;
        let kind: OrderType = self.code("type", order.kind)?;
        let side: OrderSide = self.code("side", order.side)?;
        for bracket in [&order.stop_loss_bracket, &order.take_profit_bracket].into_iter().flatten() {
            self.code::<OrderType>("type", bracket.kind)?;
        }
        let nothing = |code: PlaceError| Ok(refuse_with(Placed { order_id: None }, code.code(), None));
        let Some(account) = self.account_index(order.account_id) else {
            return nothing(PlaceError::AccountNotFound);
        };
        let Some(contract) = self.catalogue.find(&order.contract_id) else {
            return nothing(PlaceError::ContractNotFound);
        };
        let placed = self.place(&Placement { account, contract, kind, side, order });
        let body = Placed { order_id: placed.order };
        Ok(match placed.code == PlaceError::Success {
            true => succeed(body),
            false => refuse_with(body, placed.code.code(), placed.message),
        })
    }

    pub(super) fn modify_order(&mut self, request: &HttpRequest) -> Answer {
        let wish: ModifyOrder = self.body(request)?;
        let (code, message) = self.modify(&wish);
        Ok(plain(code.code(), message))
    }

    pub(super) fn cancel_order(&mut self, request: &HttpRequest) -> Answer {
        let wish: OrderRef = self.body(request)?;
        let (code, message) = self.cancel(&wish);
        Ok(plain(code.code(), message))
    }

    pub(super) fn search_orders(&mut self, request: &HttpRequest) -> Answer {
        let search: SearchSince = self.body(request)?;
        let (from, to) = self.span(&search)?;
        let Some(account) = self.account_index(search.account_id) else { return no_account() };
        let within = |order: &&Order| from <= order.created && order.created <= to;
        let found: Vec<i64> = self.orders.of(account).filter(within).map(|order| order.id).collect();
        Ok(succeed(Orders { orders: Some(self.listed_rows(found)) }))
    }

    pub(super) fn search_open_orders(&mut self, request: &HttpRequest) -> Answer {
        let wanted: OfAccount = self.body(request)?;
        let Some(account) = self.account_index(wanted.account_id) else { return no_account() };
        let found: Vec<i64> = self.orders.working_of(account).iter().map(|order| order.id).collect();
        Ok(succeed(Orders { orders: Some(self.listed_rows(found)) }))
    }

    pub(super) fn order_by_id(&mut self, request: &HttpRequest) -> Answer {
        let wanted: OrderRef = self.body(request)?;
        let account = self.account_index(wanted.account_id);
        let order = self.orders.get(wanted.order_id).filter(|order| Some(order.account) == account);
        let found = order.map(|order| order.id).and_then(|id| self.listed_rows(vec![id]).pop());
        Ok(match found {
            Some(order) => succeed(OrderFound { order: Some(order) }),
            None => refuse_with(OrderFound { order: None }, ORDER_NOT_FOUND, None),
        })
    }

    pub(super) fn query_orders(&mut self, request: &HttpRequest) -> Answer {
        let query: QueryOrders = self.body(request)?;
        let wanted = self.filter(&query.filter)?;
        let page = self.page(&query)?;
        let Some(account) = self.account_index(query.filter.account_id) else {
            return Ok(refuse_with(OrderPage { orders: None, total_count: None }, ACCOUNT_NOT_FOUND, None));
        };
        let mut found: Vec<&Order> = self
            .orders
            .of(account)
            .filter(|order| is_listed(order.status) && self.matches(order, &wanted))
            .collect();
        // Ids are given out in order of creation: both sort keys give the same order.
        if page.descending {
            found.reverse();
        }
        let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
        let ids: Vec<i64> = found.iter().skip(page.offset).take(page.size).map(|order| order.id).collect();
        let total_count = query.include_total_count.unwrap_or(false).then_some(total);
        Ok(succeed(OrderPage { orders: Some(self.listed_rows(ids)), total_count }))
    }

    /// The window of a search; without an end it is open.
    pub(super) fn span(&mut self, search: &SearchSince) -> Result<(Instant, Instant), HttpResponse> {
        let from = self.time("startTimestamp", &search.start_timestamp)?;
        let to = match &search.end_timestamp {
            Some(text) => self.time("endTimestamp", text)?,
            None => Instant::MAX_UTC,
        };
        Ok((from, to))
    }

    fn listed_rows(&self, ids: Vec<i64>) -> Vec<model::Order> {
        let listed = |id: &i64| self.orders.get(*id).is_some_and(|order| is_listed(order.status));
        ids.into_iter().filter(listed).filter_map(|id| self.order_row(id, Precision::Rest)).collect()
    }

    fn filter(&mut self, filter: &OrderFilter) -> Result<Wanted, HttpResponse> {
        let mut statuses = Vec::new();
        for status in filter.statuses.iter().flatten() {
            statuses.push(self.code("filter.statuses", *status)?);
        }
        let mut time = |member: &str, text: &Option<String>| {
            text.as_ref().map(|text| self.time(member, text)).transpose()
        };
        Ok(Wanted {
            statuses,
            after: time("filter.createdAfter", &filter.created_after)?,
            before: time("filter.createdBefore", &filter.created_before)?,
            contract: filter.contract_id.clone(),
        })
    }

    fn matches(&self, order: &Order, wanted: &Wanted) -> bool {
        let contract = &self.catalogue.listing(order.contract).instrument.contract;
        (wanted.statuses.is_empty() || wanted.statuses.contains(&order.status))
            && wanted.contract.as_ref().is_none_or(|id| id == contract.as_str())
            && wanted.after.is_none_or(|after| after <= order.created)
            && wanted.before.is_none_or(|before| order.created <= before)
    }

    fn page(&mut self, query: &QueryOrders) -> Result<Page, HttpResponse> {
        if query.sort_by.is_some_and(|by| !SORT_BY.contains(&by)) {
            return Err(self.invalid("sortBy", "The value is invalid."));
        }
        if query.sort_direction.is_some_and(|direction| !(0..=DESCENDING).contains(&direction)) {
            return Err(self.invalid("sortDirection", "The value is invalid."));
        }
        let size = match query.page_size.map(usize::try_from) {
            None => PAGE_LIMIT,
            Some(Ok(size)) if size > 0 => size.min(PAGE_LIMIT),
            Some(_) => return Err(self.invalid("pageSize", "The value must be greater than zero.")),
        };
        let Ok(offset) = usize::try_from(query.page_offset.unwrap_or(0)) else {
            return Err(self.invalid("pageOffset", "The value must not be negative."));
        };
        Ok(Page { size, offset, descending: query.sort_direction == Some(DESCENDING) })
    }
}

/// The filter of a query, read.
struct Wanted {
    statuses: Vec<OrderStatus>,
    after: Option<Instant>,
    before: Option<Instant>,
    contract: Option<String>,
}

/// Which rows of a query are wanted; `offset` counts rows.
struct Page {
    size: usize,
    offset: usize,
    descending: bool,
}

/// An answer that is nothing but the envelope.
pub(super) fn plain(code: i64, message: Option<String>) -> HttpResponse {
    if code == 0 { done() } else { refuse(code, message) }
}

fn no_account() -> Answer {
    Ok(refuse_with(Orders { orders: None }, ACCOUNT_NOT_FOUND, None))
}
