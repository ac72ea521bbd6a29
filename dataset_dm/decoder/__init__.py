"""P-Decoder: reads labels out of a frozen generator's inner maps. Knows torch and transformers, never diffusers."""

from dataset_dm.decoder.config import PDecoderConfig
from dataset_dm.decoder.losses import LossConfig, decoder_loss
from dataset_dm.decoder.model import DecoderOutput, PDecoder
from dataset_dm.decoder.targets import Targets

__all__ = ["DecoderOutput", "LossConfig", "PDecoder", "PDecoderConfig", "Targets", "decoder_loss"]
