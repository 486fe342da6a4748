//! Requests of editors that draw: layouts, and conversions between them.
//!
//! | request | parameters | answer |
//! | --- | --- | --- |
//! | `tile/layout` | `textDocument`, `position` | null, or the smallest tile or view there: `range`, `name`, `elements`, `layout`, `summary`, `target`, `bits`, `shape`, `places` |
//! | `tile/conversion` | `from`, `to`: the `map`s of two `places`; `bits` | `class`: `nothing`, `registers`, `shuffles` or `shared`; `text` |

use serde::{Deserialize, Serialize};
use tile_layout::{In, Layout};
use tower_lsp::ls_types::{Range, TextDocumentPositionParams, request::Request};

use crate::ide::layout_view::{self, Bases, LayoutView, Places};
use crate::server::{Refusal, Snapshot};

/// `tile/layout`: what stands at a position, element by element.
pub(super) enum LayoutRequest {}

impl Request for LayoutRequest {
    type Params = TextDocumentPositionParams;
    type Result = Option<LayoutResult>;
    const METHOD: &'static str = "tile/layout";
}

/// A map as its bases: for each input the images of its bits, lowest first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Map {
    shape: Vec<u32>,
    inputs: Vec<(String, Vec<Vec<u32>>)>,
}

/// A tile or a view.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct LayoutResult {
    range: Range,
    name: String,
    elements: String,
    layout: String,
    summary: String,
    target: String,
    bits: u32,
    shape: Vec<u32>,
    places: PlacesResult,
}

/// Where its elements are, the last dimension fastest.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "camelCase")]
pub(super) enum PlacesResult {
    /// Register, lane and warp of each element.
    #[serde(rename_all = "camelCase")]
    Registers { map: Map, registers: u32, lanes: u32, warps: u32, owners: Vec<(u32, u32, u32)> },
    /// The offset of each element, in elements, and the number of banks of 4 bytes.
    #[serde(rename_all = "camelCase")]
    Memory { offsets: Vec<u32>, banks: u32 },
}

impl From<&Layout> for Map {
    fn from(layout: &Layout) -> Map {
        let bases = |it: &(In, Vec<tile_layout::Coords>)| {
            (it.0.name().to_owned(), it.1.iter().map(|it| it.to_vec()).collect())
        };
        Map { shape: layout.shape().to_vec(), inputs: layout.inputs().iter().map(bases).collect() }
    }
}

impl Map {
    fn bases(&self) -> Result<Bases, Refusal> {
        let input = |(name, bases): &(String, Vec<Vec<u32>>)| {
            let input = In::ALL.into_iter().find(|it| it.name() == name);
            let input = input.ok_or_else(|| Refusal::invalid(format!("`{name}` is no input")))?;
            Ok((input, bases.iter().map(|it| it.iter().copied().collect()).collect()))
        };
        let inputs = self.inputs.iter().map(input).collect::<Result<_, Refusal>>()?;
        Ok(Bases { shape: self.shape.clone(), inputs })
    }
}

pub(super) fn layout(
    snapshot: &Snapshot,
    params: TextDocumentPositionParams,
) -> Result<Option<LayoutResult>, Refusal> {
    let (file, byte) = snapshot.place(&params)?;
    let found = layout_view::layout_at(&snapshot.db, file, byte, &snapshot.shown());
    Ok(found.map(|it| LayoutResult {
        range: snapshot.range(file, it.span),
        places: places(&it),
        name: it.name,
        elements: it.elements,
        layout: it.layout,
        summary: it.summary,
        target: it.target.to_owned(),
        bits: it.bits,
        shape: it.shape,
    }))
}

fn places(view: &LayoutView) -> PlacesResult {
    match &view.places {
        Places::Registers { layout, owners } => PlacesResult::Registers {
            map: Map::from(layout),
            registers: layout.registers(),
            lanes: layout.lanes(),
            warps: layout.warps(),
            owners: owners.clone(),
        },
        Places::Memory { offsets, banks } => {
            PlacesResult::Memory { offsets: offsets.clone(), banks: *banks }
        }
    }
}

/// `tile/conversion`: what it costs to get from one layout to another.
pub(super) enum ConversionRequest {}

impl Request for ConversionRequest {
    type Params = ConversionParams;
    type Result = ConversionResult;
    const METHOD: &'static str = "tile/conversion";
}

/// Two layouts of one tile, and the bits of its elements.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ConversionParams {
    from: Map,
    to: Map,
    bits: u32,
}

/// The dearest means (`nothing`, `registers`, `shuffles`, `shared`), and a sentence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct ConversionResult {
    class: String,
    text: String,
}

pub(super) fn conversion(
    snapshot: &Snapshot,
    params: ConversionParams,
) -> Result<ConversionResult, Refusal> {
    let ConversionParams { from, to, bits } = params;
    let target = snapshot.shown().target.row();
    let found = layout_view::conversion(from.bases()?, to.bases()?, bits, target);
    let found = found.map_err(|it| Refusal::failed(it.to_string()))?;
    Ok(ConversionResult { class: found.class.to_owned(), text: found.text })
}
