"""Losses as people write them in PyTorch: right ones, and the same with mistakes that are often made."""

import torch
import torch.nn.functional as F  # noqa: N812 (as everybody calls it)
from torch import nn


class FocalLoss(nn.Module):
    """For two outcomes, of logits, with alpha for positives and 1 - alpha for negatives."""

    def __init__(self, alpha=0.25, gamma=2.0, reduction="mean"):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.reduction = reduction

    def forward(self, inputs, targets):
        bce = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
        pt = torch.exp(-bce)
        at = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        loss = at * (1 - pt) ** self.gamma * bce
        if self.reduction == "mean":
            return loss.mean()
        if self.reduction == "sum":
            return loss.sum()
        return loss


class FocalLossAlphaOfBoth(nn.Module):
    def __init__(self, alpha=0.25, gamma=2):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, inputs, targets):
        BCE_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
        pt = torch.exp(-BCE_loss)
        F_loss = self.alpha * (1 - pt) ** self.gamma * BCE_loss
        return F_loss.mean()


class FocalLossOfOptions(nn.Module):
    def __init__(self, alpha=1, gamma=2, logits=False, reduce=True):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma
        self.logits = logits
        self.reduce = reduce

    def forward(self, inputs, targets):
        if self.logits:
            BCE_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
        else:
            BCE_loss = F.binary_cross_entropy(inputs, targets, reduction="none")
        pt = torch.exp(-BCE_loss)
        F_loss = self.alpha * (1 - pt) ** self.gamma * BCE_loss
        return torch.mean(F_loss) if self.reduce else F_loss


class FocalLossOfAMean(nn.Module):
    """The cross-entropy is averaged before its focal factor is computed."""

    def __init__(self, gamma=2.0, weight=None):
        super().__init__()
        self.gamma = gamma
        self.weight = weight

    def forward(self, input, target):
        ce_loss = nn.CrossEntropyLoss(weight=self.weight)(input, target)
        pt = torch.exp(-ce_loss)
        return ((1 - pt) ** self.gamma * ce_loss).mean()


class FocalLossOfClasses(nn.Module):
    """For classes, of logits."""

    def __init__(self, gamma=2, size_average=True):
        super().__init__()
        self.gamma = gamma
        self.size_average = size_average

    def forward(self, input, target):
        target = target.view(-1, 1)
        logpt = F.log_softmax(input, dim=1).gather(1, target).view(-1)
        loss = -1 * (1 - logpt.exp()) ** self.gamma * logpt
        return loss.mean() if self.size_average else loss.sum()


class FocalLossSigmoidTwice(nn.Module):
    def __init__(self, alpha=0.25, gamma=2):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, inputs, targets):
        inputs = torch.sigmoid(inputs)
        bce = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
        pt = torch.exp(-bce)
        at = torch.where(targets == 1, self.alpha, 1 - self.alpha)
        return (at * (1 - pt) ** self.gamma * bce).mean()


class FocalLossOfTensor(nn.Module):
    """The weights of both outcomes are a tensor, in which alpha comes first: that of negatives."""

    def __init__(self, alpha=0.25, gamma=2):
        super().__init__()
        self.alpha = torch.tensor([alpha, 1 - alpha])
        self.gamma = gamma

    def forward(self, inputs, targets):
        BCE_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
        targets = targets.type(torch.long)
        at = self.alpha.gather(0, targets.data.view(-1))
        pt = torch.exp(-BCE_loss)
        F_loss = at * (1 - pt) ** self.gamma * BCE_loss
        return F_loss.mean()


class FocalLossDetached(nn.Module):
    """The probability is detached from its graph, which the default of gamma hides."""

    def __init__(self, gamma=0, alpha=None):
        super().__init__()
        self.gamma = gamma
        self.alpha = alpha

    def forward(self, input, target):
        logpt = F.log_softmax(input, dim=-1).gather(1, target.view(-1, 1)).view(-1)
        pt = logpt.data.exp()
        if self.alpha is not None:
            logpt = logpt * torch.tensor(self.alpha, dtype=input.dtype).gather(0, target)
        return (-1 * (1 - pt) ** self.gamma * logpt).mean()


class FocalLossOfSoClasses(nn.Module):
    def __init__(self, num_classes, gamma=2):
        super().__init__()
        self.num_classes = num_classes
        self.gamma = gamma

    def forward(self, logits, targets):
        log_p = F.log_softmax(logits, dim=-1)
        t = F.one_hot(targets, self.num_classes)
        return -((1 - log_p.exp()) ** self.gamma * t * log_p).sum(-1).mean()


class FocalLossOnlyFloat32(nn.Module):
    def __init__(self, alpha=0.25, gamma=2):
        super().__init__()
        self.alpha = alpha
        self.gamma = gamma

    def forward(self, inputs, targets):
        inputs = torch.sigmoid(inputs)
        inputs = inputs.view(-1)
        targets = targets.view(-1).float()
        bce = F.binary_cross_entropy(inputs, targets, reduction="none")
        pt = torch.exp(-bce)
        at = self.alpha * targets + (1 - self.alpha) * (1 - targets)
        return (at * (1 - pt) ** self.gamma * bce).mean()


def focal_loss(
    inputs: torch.Tensor, targets: torch.Tensor, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
):
    p = torch.sigmoid(inputs)
    ce_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    loss = ce_loss * ((1 - p_t) ** gamma)
    if alpha >= 0:
        alpha_t = alpha * targets + (1 - alpha) * (1 - targets)
        loss = alpha_t * loss
    if reduction == "mean":
        loss = loss.mean()
    return loss


def focal_loss_alpha_swapped(inputs, targets, alpha=0.25, gamma=2):
    p = torch.sigmoid(inputs)
    ce_loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none")
    p_t = p * targets + (1 - p) * (1 - targets)
    alpha_t = alpha * (1 - targets) + (1 - alpha) * targets
    return (alpha_t * ((1 - p_t) ** gamma) * ce_loss).mean()


def focal_loss_power_of_p(pred, target, alpha=0.25, gamma=2.0):
    ce_loss = F.binary_cross_entropy_with_logits(pred, target, reduction="none")
    p_t = torch.exp(-ce_loss)
    alpha_t = torch.where(target == 1, alpha, 1 - alpha)
    return (alpha_t * p_t**gamma * ce_loss).mean()


def make_focal_loss(gamma=2.0, alpha=0.25):
    def loss(y_pred, y_true):
        p_t = torch.where(y_true == 1, y_pred, 1 - y_pred)
        alpha_t = torch.where(y_true == 1, alpha, 1 - alpha)
        return torch.mean(-alpha_t * (1 - p_t) ** gamma * torch.log(p_t))

    return loss


def cross_entropy(outputs, labels):
    return F.cross_entropy(outputs, labels)


def cross_entropy_softmax_twice(outputs, labels):
    return F.cross_entropy(F.softmax(outputs, dim=1), labels)


def cross_entropy_nll_of_softmax(outputs, labels):
    return F.nll_loss(F.softmax(outputs, dim=1), labels)


def cross_entropy_nll_of_log_softmax(outputs, labels):
    return F.nll_loss(F.log_softmax(outputs, dim=1), labels)


def bce_sigmoid_twice(outputs, labels):
    return F.binary_cross_entropy_with_logits(torch.sigmoid(outputs), labels)


def bce_with_logits(outputs, labels):
    return F.binary_cross_entropy_with_logits(outputs, labels)


def loss_fn(outputs, labels):
    return F.cross_entropy(outputs, labels)


class DiceLoss(nn.Module):
    def __init__(self, weight=None, size_average=True):
        super().__init__()

    def forward(self, inputs, targets, smooth=1):
        inputs = torch.sigmoid(inputs)
        inputs = inputs.view(-1)
        targets = targets.view(-1)
        intersection = (inputs * targets).sum()
        dice = (2.0 * intersection + smooth) / (inputs.sum() + targets.sum() + smooth)
        return 1 - dice
